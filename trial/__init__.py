"""Words: schema, study definitions, selections and screen strings, each said once."""
