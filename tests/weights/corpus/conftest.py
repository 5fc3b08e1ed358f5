"""The scripts of the corpus are run by hand, with the frameworks they describe."""

collect_ignore_glob = ["*.py"]
