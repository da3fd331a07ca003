"""Letters and reports as files: one content, written as DOCX to be edited and as PDF to be kept."""
