"""Every combination of some parameters' values, as tasks of Dask distributed; `course sweep`."""
