import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { FileByteSink } from './files.ts';

/**
 * Where QEMU records: QEMU empties its file when it starts, before anybody knows whether the run will come to anything, so it gets a
 * file beside the one that was asked for, which takes that name when the run has begun.
 */
export class QemuRecording {
  /** For QEMU. */
  readonly path: string;
  readonly #wanted: string;

  /** @throws CliError when the file that is asked for cannot be written */
  constructor(wanted: string) {
    new FileByteSink(wanted).discard();
    this.#wanted = wanted;
    // A device or pipe has no neighbour to be renamed from.
    const special = existsSync(wanted) && !statSync(wanted).isFile();
    this.path = special ? wanted : `${wanted}.partial`;
  }

  /** QEMU has ended: the recording is what was asked for. */
  keep(): void {
    if (this.path !== this.#wanted && existsSync(this.path)) renameSync(this.path, this.#wanted);
  }

  /** The run did not begin: what had the name keeps it. */
  discard(): void {
    if (this.path !== this.#wanted) rmSync(this.path, { force: true });
  }
}
