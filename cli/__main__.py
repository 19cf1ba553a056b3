"""`python -m cli` is `crm`."""

from cli.start import run

if __name__ == "__main__":
    run()
