"""Pictures as SVG text made on the server: pure functions of what they show.

Altair takes about a second to import, so only `render` imports the modules that draw, and only
when a picture is asked for or the application warms up.
"""
