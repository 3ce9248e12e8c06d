import { CUnknown, type IID } from '../../../com/index.ts';
import {
  BugcheckCode,
  DISPATCH_LEVEL,
  NtError,
  requireIrql,
  STATUS_INVALID_PARAMETER,
  STATUS_UNSUCCESSFUL,
} from '../../../kernel/index.ts';
import {
  IID_IPortWavePciStream,
  IID_IPreFetchOffset,
  type IPortWavePciStream,
  type IPreFetchOffset,
  type WavePciMapping,
} from '../../ddi/index.ts';
import type { WavePciPin } from './wavepci-pin.ts';

/** Parameter of bugcheck 0xC4 for a spin lock that is held across a call that must not be made with one. */
const RULE_SPIN_LOCK_HELD = 0x71000;

/**
 * The port's half of a WavePci stream (DDI pages IPortWavePciStream, IPreFetchOffset), the miniport's to call. After the pin's end it
 * has no mappings.
 */
export class PortWavePciStream extends CUnknown implements IPortWavePciStream, IPreFetchOffset {
  #pin: WavePciPin | null;

  constructor(pin: WavePciPin) {
    super('PortWavePciStream');
    this.#pin = pin;
  }

  /** The pin is closed. */
  detach(): void {
    this.#pin = null;
  }

  getMapping(tag: unknown): WavePciMapping | null {
    const pin = this.#enter('GetMapping');
    if (pin === null) return null;
    if (pin.queue.holds(tag)) {
      pin.finding(
        'GetMapping with a tag that is in use; tags tell the mappings apart that a miniport holds.',
      );
      throw new NtError(STATUS_INVALID_PARAMETER, 'the tag is in use');
    }
    const mapping = pin.takeMapping(tag);
    if (mapping === null) return null;
    return {
      physicalAddress: mapping.physicalAddress,
      virtualAddress: mapping.virtualAddress,
      virtualOffset: mapping.virtualOffset,
      byteCount: mapping.byteCount,
      flags: mapping.last ? 1 : 0,
    };
  }

  releaseMapping(tag: unknown): void {
    const pin = this.#enter('ReleaseMapping');
    if (pin === null) throw new NtError(STATUS_INVALID_PARAMETER, 'the stream is closed');
    if (!pin.queue.isOldest(tag) && pin.queue.holds(tag)) {
      pin.finding(
        'ReleaseMapping of a mapping that is not the oldest: they are released as they were taken.',
      );
    }
    if (!pin.queue.release(tag)) {
      pin.finding(
        'ReleaseMapping of a mapping that is not held: released before, or revoked by RevokeMappings.',
      );
      throw new NtError(STATUS_INVALID_PARAMETER, 'no mapping of this tag is held');
    }
    pin.queue.completeFinished();
  }

  terminatePacket(): void {
    const pin = this.#enter('TerminatePacket');
    if (pin?.queue.terminate() !== true) throw new NtError(STATUS_UNSUCCESSFUL, 'no packet is being mapped');
    pin.queue.completeFinished();
  }

  setPreFetchOffset(preFetchOffset: number): void {
    this.requireAlive('SetPreFetchOffset');
    if (this.#pin !== null) this.#pin.preFetchOffset = Math.max(0, Math.floor(preFetchOffset));
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IPortWavePciStream) || iid.equals(IID_IPreFetchOffset)
      ? this
      : super.nonDelegatingQueryInterface(iid);
  }

  #enter(method: string): WavePciPin | null {
    requireIrql(DISPATCH_LEVEL, `IPortWavePciStream::${method}`);
    this.requireAlive(method);
    const pin = this.#pin;
    const kernel = pin?.port.kernel;
    if (kernel !== undefined && kernel.spinLocksHeld > 0) {
      kernel.bugcheck(
        BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
        [RULE_SPIN_LOCK_HELD, 0, 0, 0],
        `IPortWavePciStream::${method} with a spin lock held: the port may call back into the miniport, which then waits for itself.`,
        { driver: pin?.port.driverName ?? 'PortCls' },
      );
    }
    return pin;
  }
}
