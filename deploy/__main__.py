"""``python -m deploy`` is ``flexion``: so the supervisor starts its children, whatever is on the PATH."""

from deploy.cli.main import main

if __name__ == "__main__":
    main()
