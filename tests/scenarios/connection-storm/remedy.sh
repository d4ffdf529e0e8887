# A pool that is smaller than what the server has.
pool=5
