import { CUnknown, type IID } from '../../../com/index.ts';
import { NtError, STATUS_INVALID_DEVICE_REQUEST } from '../../../kernel/index.ts';
import {
  type KSSTATE,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
} from '../../../ks/index.ts';
import { IID_IMiniportMidiStream, type IMiniportMidiStream } from '../../ddi/index.ts';
import type { FmMiniport } from './fm-miniport.ts';

/** The one stream of the FM synthesizer. */
export class FmStream extends CUnknown implements IMiniportMidiStream {
  readonly #miniport: FmMiniport;
  #state: KSSTATE = KSSTATE_STOP;

  constructor(miniport: FmMiniport) {
    super('FmStream');
    this.#miniport = miniport;
    miniport.addRef();
  }

  setFormat(): void {}

  /** Leaving RUN lets go of all keys, since nobody would; in STOP the synthesizer is silent and as after power-on. */
  setState(state: KSSTATE): void {
    const { synth } = this.#miniport;
    if (state === KSSTATE_ACQUIRE && this.#state === KSSTATE_STOP) synth.resetStatistics();
    if (state === KSSTATE_PAUSE && this.#state === KSSTATE_RUN) synth.releaseAll();
    if (state === KSSTATE_STOP) synth.reset();
    this.#state = state;
  }

  read(): number {
    throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'the FM synthesizer captures nothing');
  }

  /** The chip takes registers as fast as they are written: nothing ever waits. */
  write(buffer: Uint8Array): number {
    this.#miniport.synth.write(buffer);
    return buffer.byteLength;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportMidiStream) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#miniport.streamClosed();
    this.#miniport.release();
  }
}
