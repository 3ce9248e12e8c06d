import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { ByteSink, ByteSource } from '../client/index.ts';
import { CliError } from './cli-error.ts';

/** What an error code of the file system means to whoever typed the name. */
function fileError(path: string, action: 'read' | 'written', error: unknown): CliError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason: Record<string, string> = {
    ENOENT: action === 'read' ? 'there is no such file' : 'its folder does not exist',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EISDIR: 'it is a folder',
    ENOSPC: 'the disk is full',
    EROFS: 'the file system is read-only',
  };
  return new CliError(`${path} cannot be ${action}: ${reason[code] ?? (code || String(error))}.`);
}

/** A file on disk, or standard input (`-`), as a source of bytes. */
export class FileByteSource implements ByteSource {
  readonly byteLength: number | null;
  readonly #path: string;
  readonly #descriptor: number;

  /** @throws CliError when the file cannot be opened */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#descriptor = path === '-' ? 0 : openSync(path, 'r');
      const stat = fstatSync(this.#descriptor);
      if (stat.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
      this.byteLength = stat.isFile() ? stat.size : null;
    } catch (error) {
      throw fileError(path, 'read', error);
    }
  }

  read(position: number, into: Uint8Array, byteOffset: number, byteLength: number): number {
    const at = this.byteLength === null ? null : position;
    for (;;) {
      try {
        return readSync(this.#descriptor, into, byteOffset, byteLength, at);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (code === 'EAGAIN') continue; // a pipe that has nothing yet
        if (code === 'EOF') return 0;
        throw fileError(this.#path, 'read', error);
      }
    }
  }

  /** Is this the file of that name, whatever links lead to it? Writing there would destroy what is being read. */
  isFile(path: string): boolean {
    const there = statSync(path, { throwIfNoEntry: false });
    const here = fstatSync(this.#descriptor);
    return there !== undefined && here.isFile() && there.dev === here.dev && there.ino === here.ino;
  }

  close(): void {
    if (this.#path !== '-') closeSync(this.#descriptor);
  }
}

/** @throws CliError when the output would overwrite the input */
export function requireOtherFile(input: FileByteSource, output: string | undefined, option: string): void {
  if (output === undefined || !input.isFile(output)) return;
  throw new CliError(`${output} is the file that is read; give another name to ${option}.`);
}

/** Writes a text file. @throws CliError when it cannot be written */
export function writeTextFile(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw fileError(path, 'written', error);
  }
}

/** Writes that follow each other are gathered up to this much. */
const WRITE_BUFFER_BYTES = 256 * 1024;

/**
 * A file on disk to write to. It is opened at once, so that a wrong path is found before the run, but what was in it stays until the
 * first bytes arrive: a run that fails before it has anything to write loses nothing ({@link discard}).
 */
export class FileByteSink implements ByteSink {
  readonly seekable = true;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #buffer = new Uint8Array(WRITE_BUFFER_BYTES);
  #bufferPosition = 0;
  #buffered = 0;
  /** The file was not there before. */
  readonly #isNew: boolean;
  /** It holds bytes of ours. */
  #begun = false;

  /** @throws CliError when the file cannot be made */
  constructor(path: string) {
    this.#path = path;
    this.#isNew = !existsSync(path);
    try {
      this.#descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT);
    } catch (error) {
      throw fileError(path, 'written', error);
    }
  }

  write(position: number, from: Uint8Array, byteOffset: number, byteLength: number): void {
    const follows = position === this.#bufferPosition + this.#buffered;
    if (!follows || this.#buffered + byteLength > WRITE_BUFFER_BYTES) this.#flush();
    if (byteLength > WRITE_BUFFER_BYTES) {
      this.#put(from, byteOffset, byteLength, position);
      return;
    }
    if (this.#buffered === 0) this.#bufferPosition = position;
    this.#buffer.set(from.subarray(byteOffset, byteOffset + byteLength), this.#buffered);
    this.#buffered += byteLength;
  }

  close(): void {
    this.#flush();
    this.#begin();
    closeSync(this.#descriptor);
  }

  /** Closes a file that is not wanted after all. Before its first bytes are on the disk it is left as it was found, or gone if it is new. */
  discard(): void {
    if (this.#begun) {
      this.close();
      return;
    }
    closeSync(this.#descriptor);
    if (this.#isNew) rmSync(this.#path, { force: true });
  }

  #flush(): void {
    const count = this.#buffered;
    this.#buffered = 0;
    if (count > 0) this.#put(this.#buffer, 0, count, this.#bufferPosition);
  }

  /** What was in the file before goes away now. Pipes and devices have nothing to cut. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    if (fstatSync(this.#descriptor).isFile()) ftruncateSync(this.#descriptor);
  }

  #put(from: Uint8Array, byteOffset: number, byteLength: number, position: number): void {
    let done = 0;
    try {
      this.#begin();
      while (done < byteLength) {
        done += writeSync(this.#descriptor, from, byteOffset + done, byteLength - done, position + done);
      }
    } catch (error) {
      throw fileError(this.#path, 'written', error);
    }
  }
}
