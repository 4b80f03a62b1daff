"""The hot calls over HTTP, each beside the bare database that does the same one by one."""
