"""`python -m kfood …` is `kfood …`, the program that is installed beside this Python."""

import os
import sys

from ._program import Error, program

if __name__ == "__main__":
    try:
        found = program()
    except Error as error:
        sys.exit(str(error))
    os.execv(found, [found, *sys.argv[1:]])
