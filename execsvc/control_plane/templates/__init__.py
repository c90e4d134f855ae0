"""The page for people: template, style and script, each put into the one answer."""
