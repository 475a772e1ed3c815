"""HTML page support: template rendering, languages, security headers, stylesheets, error pages."""
