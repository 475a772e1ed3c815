"""The service: the only package that knows HTTP. `gateway.app.create_app` puts it together."""
