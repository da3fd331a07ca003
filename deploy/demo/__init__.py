"""The demo: a sample city with two factories, from simulated plants to verified figures."""
