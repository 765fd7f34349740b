"""Never gets as far as its own main()."""

import time

while True:
    time.sleep(60)

if __name__ == "__main__":
    pass
