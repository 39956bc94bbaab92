"""`python -m onclair`: the command line, where its script is not on the path."""

from onclair.cli.main import main

if __name__ == "__main__":
    main()
