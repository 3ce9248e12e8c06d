import { CUnknown, type IID } from '../../../com/index.ts';
import { NtError, STATUS_INVALID_DEVICE_REQUEST } from '../../../kernel/index.ts';
import { type KSSTATE, KSSTATE_PAUSE, KSSTATE_STOP } from '../../../ks/index.ts';
import { IID_IMiniportMidiStream, type IMiniportMidiStream } from '../../ddi/index.ts';
import type { UartMiniport } from './uart-miniport.ts';

/** A stream of the UART miniport, in one direction. */
export class UartStream extends CUnknown implements IMiniportMidiStream {
  readonly #miniport: UartMiniport;
  readonly #capture: boolean;

  constructor(miniport: UartMiniport, capture: boolean) {
    super('UartStream');
    this.#miniport = miniport;
    this.#capture = capture;
    miniport.addRef();
  }

  setFormat(): void {}

  /** Capture listens from PAUSE on. At STOP what a render stream took from the port is sent to its end. */
  setState(state: KSSTATE): void {
    if (this.#capture) this.#miniport.setReceiving(state >= KSSTATE_PAUSE);
    else if (state === KSSTATE_STOP) this.#miniport.output.flush();
  }

  read(buffer: Uint8Array): number {
    if (!this.#capture)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'a render stream has nothing to read');
    return this.#miniport.mpu.read(buffer);
  }

  write(buffer: Uint8Array): number {
    if (this.#capture) throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'a capture stream takes no bytes');
    return this.#miniport.output.write(buffer);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportMidiStream) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#miniport.streamClosed(this.#capture);
    this.#miniport.release();
  }
}
