"""Takes memory until it is stopped, from several processes."""

import multiprocessing


def hold():
    held = []
    while True:
        held.append(bytearray(b"x") * 32_000_000)


def main():
    workers = [multiprocessing.Process(target=hold) for _ in range(2)]
    for worker in workers:
        worker.start()
    hold()


if __name__ == "__main__":
    main()
