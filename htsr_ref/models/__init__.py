"""Many reports: ranks, differences, trends against accuracies, an overview."""
