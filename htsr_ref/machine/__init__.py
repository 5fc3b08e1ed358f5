"""What the process may use of the machine: cores, memory, threads of linear algebra, locks."""
