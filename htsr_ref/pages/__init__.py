"""Reports as one HTML file that needs nothing else; needs Jinja2 (the extra `report`)."""
