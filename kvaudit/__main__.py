"""`python -m kvaudit` is the `kvaudit` command."""

from kvaudit.cli import main

if __name__ == "__main__":
    main()
