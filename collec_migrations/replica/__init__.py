"""Set up, watch and use standbys: one primary and its direct standbys."""
