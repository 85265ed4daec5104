"""Pictures of the chain and of the schemas, made from the catalogs alone."""
