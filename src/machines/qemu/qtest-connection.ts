import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { QemuError } from './qemu-error.ts';

/** Called for each change of an intercepted interrupt line. */
export type IrqHandler = (line: number, asserted: boolean) => void;

const NEWLINE = 0x0a;
const READ_BUFFER_BYTES = 64 * 1024;

/**
 * The qtest protocol over two FIFOs, synchronously: a command is written, then bytes are read up to its answer. Lines of
 * intercepted interrupts (`IRQ raise 10`) come in between at any place and go to the handler. Protocol: QEMU,
 * docs/devel/qtest.rst.
 */
export class QtestConnection {
  readonly #commandFd: number;
  /** Our own writing end of the answer FIFO: keeps it from looking closed until QEMU has answered once; null from then on. */
  #keeperFd: number | null;
  /** Blocking: the answer to a command is waited for in the kernel, without polling. */
  readonly #answerFd: number;
  /** The same FIFO, never blocking: to look for interrupts while nothing else goes on. */
  readonly #pollFd: number;
  readonly #onIrq: IrqHandler;
  readonly #explain: () => string;
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);
  #start = 0;
  #end = 0;
  #closed = false;
  #commands = 0;

  /**
   * Opens the FIFOs `PATH.in`, which QEMU must have open already, and `PATH.out`. Nothing here blocks, whatever becomes of QEMU.
   * Commands may be sent when {@link ready} has come true.
   * @param explain what QEMU said, for the error when it is gone
   */
  constructor(pipePath: string, onIrq: IrqHandler, explain: () => string) {
    this.#onIrq = onIrq;
    this.#explain = explain;
    this.#keeperFd = openSync(`${pipePath}.out`, constants.O_RDWR | constants.O_NONBLOCK);
    this.#pollFd = openSync(`${pipePath}.out`, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#answerFd = openSync(`${pipePath}.out`, constants.O_RDONLY);
    // Commands are far shorter than a FIFO and each is answered before the next: writing never has to wait.
    this.#commandFd = openSync(`${pipePath}.in`, constants.O_WRONLY | constants.O_NONBLOCK);
    this.#send('endianness\n');
  }

  /** True when QEMU has answered for the first time: its machine is built, RAM and cards are there. Never blocks. */
  ready(): boolean {
    if (this.#keeperFd === null) return true;
    if (this.#fill(this.#pollFd) === 0) return false;
    const line = this.#takeLine();
    if (line === null) return false;
    closeSync(this.#keeperFd);
    this.#keeperFd = null;
    return true;
  }

  /** Commands sent so far. */
  get commands(): number {
    return this.#commands;
  }

  /** Sends a command and returns the words after `OK`. @throws QemuError when QEMU refuses it or is gone */
  command(text: string): string {
    this.#commands++;
    this.#send(`${text}\n`);
    for (;;) {
      const line = this.#takeLine() ?? this.#readLine();
      if (this.#handleIrq(line)) continue;
      if (line.startsWith('OK')) return line.slice(3);
      throw new QemuError(`QEMU refused the qtest command '${text}': ${line}`);
    }
  }

  /** As {@link command}, for an answer that is one hexadecimal number. */
  query(text: string): number {
    return Number.parseInt(this.command(text), 16);
  }

  /** Handles what has come unasked; true when an interrupt line changed. Never blocks. */
  poll(): boolean {
    let changed = false;
    for (;;) {
      const line = this.#takeLine();
      if (line !== null) {
        changed = this.#handleIrq(line) || changed;
        continue;
      }
      if (this.#fill(this.#pollFd) === 0) return changed;
    }
  }

  /** Waits until QEMU has closed its side, for at most `milliseconds`; true when it has. */
  waitForEnd(milliseconds: number): boolean {
    const deadline = performance.now() + milliseconds;
    const idle = new Int32Array(new SharedArrayBuffer(4));
    while (performance.now() < deadline) {
      try {
        this.#end = 0;
        this.#start = 0;
        if (readSync(this.#pollFd, this.#buffer) === 0) return true;
      } catch (error) {
        if (!isAgain(error)) return true;
      }
      Atomics.wait(idle, 0, 0, 5);
    }
    return false;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const fd of [this.#commandFd, this.#answerFd, this.#pollFd, this.#keeperFd]) {
      if (fd !== null) closeSync(fd);
    }
  }

  #send(text: string): void {
    if (this.#closed) throw new QemuError('The machine has been ended: QEMU takes no more commands.');
    try {
      writeSync(this.#commandFd, text);
    } catch (error) {
      throw this.#gone(error);
    }
  }

  #gone(cause?: unknown): QemuError {
    const said = this.#explain();
    return new QemuError(`QEMU ended in the middle of the run.${said ? ` It said: ${said}` : ''}`, { cause });
  }

  #handleIrq(line: string): boolean {
    if (!line.startsWith('IRQ ')) return false;
    const [, change, number] = line.split(' ');
    this.#onIrq(Number(number), change === 'raise');
    return true;
  }

  #readLine(): string {
    for (;;) {
      if (this.#fill(this.#answerFd) === 0) throw this.#gone();
      const line = this.#takeLine();
      if (line !== null) return line;
    }
  }

  /** Reads more bytes; 0 at the end of the FIFO and, on the polling descriptor, when there is nothing now. */
  #fill(fd: number): number {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    try {
      const count = readSync(fd, this.#buffer, this.#end, this.#buffer.length - this.#end, null);
      if (count === 0 && fd === this.#pollFd) throw this.#gone();
      this.#end += count;
      return count;
    } catch (error) {
      if (isAgain(error)) return 0;
      throw error instanceof QemuError ? error : this.#gone(error);
    }
  }

  #takeLine(): string | null {
    const buffer = this.#buffer;
    for (let i = this.#start; i < this.#end; i++) {
      if (buffer[i] !== NEWLINE) continue;
      // Lines are ASCII and short: building them from codes beats a decoder.
      let line = '';
      for (let k = this.#start; k < i; k++) line += String.fromCharCode(buffer[k] as number);
      this.#start = i + 1;
      return line;
    }
    return null;
  }
}

function isAgain(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
