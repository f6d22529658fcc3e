"""The pages: Jinja2 templates, a style sheet, and a script they can do without."""
