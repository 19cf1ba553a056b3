"""`python -m cli` is `crm`."""

from cli.main import run

if __name__ == "__main__":
    run()
