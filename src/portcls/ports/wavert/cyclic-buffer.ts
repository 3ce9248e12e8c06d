import {
  BugcheckCode,
  MDL,
  type MEMORY_CACHING_TYPE,
  MmWriteCombined,
  mmGetSystemAddressForMdlSafe,
  mmMapMdlToProcess,
  mmUnmapLockedPages,
  NtError,
  PAGE_SIZE,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
  STATUS_UNSUCCESSFUL,
  type SystemMapping,
  type UserProcess,
} from '../../../kernel/index.ts';
import { waveFormatOf } from '../../../ks/index.ts';
import type { WaveRTAudioBuffer } from '../../ddi/index.ts';
import { unmapFromClient } from './client-mapping.ts';
import type { WaveRTPin } from './wavert-pin.ts';

/** What a client asks for; `notificationCount` 0 means KSPROPERTY_RTAUDIO_BUFFER. */
export interface CyclicBufferRequest {
  readonly baseAddress: number;
  readonly requestedSize: number;
  readonly notificationCount: number;
}

/**
 * The cyclic buffer of a WaveRT pin: allocated by the miniport, mapped into the process that asked for it (into system space for
 * a kernel-mode client). Client, driver and device share the same pages; nothing is copied.
 */
export class CyclicBuffer {
  /** Notifications per cycle, 0 without; packets are `actualSize / notificationCount` bytes. */
  readonly notificationCount: number;
  readonly actualSize: number;
  readonly cacheType: MEMORY_CACHING_TYPE;
  /** Of the buffer's first byte, in the client's address space. */
  readonly address: number;
  readonly #pin: WaveRTPin;
  readonly #mdl: MDL;
  readonly #process: UserProcess | null;
  /** Address of the MDL's first byte in the process. */
  readonly #mdlAddress: number;
  /** Made here for a kernel-mode client, unless the miniport had the MDL mapped. */
  readonly #systemMapping: SystemMapping | null;

  /**
   * Allocates and maps. Throws STATUS_INVALID_PARAMETER for a size of 0 or a notification count other than 1 and 2,
   * STATUS_UNSUCCESSFUL when a base address is demanded (buffers lie where there is room), STATUS_NOT_SUPPORTED for
   * notifications that the stream does not have, else what the miniport threw. Nothing is left behind then. PASSIVE_LEVEL.
   */
  constructor(pin: WaveRTPin, process: UserProcess | null, request: CyclicBufferRequest) {
    const { baseAddress, requestedSize, notificationCount } = request;
    if (notificationCount > 2) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `${notificationCount} notifications per buffer: 1 and 2 are possible`,
      );
    }
    if (requestedSize === 0)
      throw new NtError(STATUS_INVALID_PARAMETER, 'a cyclic buffer of 0 bytes was asked for');
    if (baseAddress !== 0)
      throw new NtError(STATUS_UNSUCCESSFUL, 'a cyclic buffer cannot be mapped at a given address');
    this.#pin = pin;
    this.#process = process;
    this.notificationCount = notificationCount;
    const buffer = this.#allocate(requestedSize);
    this.#mdl = buffer.audioBufferMdl;
    this.actualSize = buffer.actualSize;
    this.cacheType = buffer.cacheType;
    this.#reportOddSize(requestedSize);
    let systemMapping: SystemMapping | null = null;
    try {
      if (process !== null) {
        this.#mdlAddress = mmMapMdlToProcess(this.#mdl, process);
      } else {
        const mappedBefore = this.#mdl.systemMapping !== null;
        const mapping = mmGetSystemAddressForMdlSafe(this.#mdl);
        if (!mappedBefore) systemMapping = mapping;
        this.#mdlAddress = mapping.virtualAddress;
      }
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      this.#freeInMiniport();
      throw error;
    }
    this.#systemMapping = systemMapping;
    // The miniport's offset counts from the start of the first page, the mapping begins at the MDL's first byte.
    this.address = this.#mdlAddress - this.#mdl.byteOffset + buffer.offsetFromFirstPage;
  }

  /** The client must issue a memory barrier after writing (DDI page KSRTAUDIO_BUFFER). */
  get callMemoryBarrier(): boolean {
    return this.cacheType === MmWriteCombined;
  }

  /** Unmaps the client's view, then has the miniport free the buffer. What the miniport refuses is reported. PASSIVE_LEVEL. */
  free(): void {
    if (this.#process !== null) unmapFromClient(this.#process, this.#mdlAddress, this.#mdl);
    else if (this.#systemMapping !== null) mmUnmapLockedPages(this.#systemMapping, this.#mdl);
    this.#freeInMiniport();
  }

  #allocate(requestedSize: number): WaveRTAudioBuffer {
    const pin = this.#pin;
    const { notificationCount } = this;
    let method = 'IMiniportWaveRTStream::AllocateAudioBuffer';
    let buffer: WaveRTAudioBuffer;
    if (notificationCount === 0) {
      buffer = pin.callOut(method, () => pin.waveStream.allocateAudioBuffer(requestedSize));
    } else {
      const notification = pin.notification;
      if (notification === null) throw new NtError(STATUS_NOT_SUPPORTED, 'the stream has no notifications');
      method = 'IMiniportWaveRTStreamNotification::AllocateBufferWithNotification';
      buffer = pin.callOut(method, () =>
        notification.allocateBufferWithNotification(notificationCount, requestedSize),
      );
    }
    const flaw = flawOf(buffer);
    if (flaw !== null) {
      // To map it would show the client, or a device, memory that is none of its business.
      pin.port.kernel.bugcheck(
        BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
        [0x71009, 0, 0, 0],
        `${method} returned ${flaw}.`,
        { driver: pin.port.driverName, method },
      );
    }
    return buffer;
  }

  #freeInMiniport(): void {
    const pin = this.#pin;
    if (this.notificationCount === 0) {
      pin.callOutReporting('IMiniportWaveRTStream::FreeAudioBuffer', () =>
        pin.waveStream.freeAudioBuffer(this.#mdl, this.actualSize),
      );
    } else {
      pin.callOutReporting('IMiniportWaveRTStreamNotification::FreeBufferWithNotification', () =>
        pin.notification?.freeBufferWithNotification(this.#mdl, this.actualSize),
      );
    }
  }

  /** What Windows' audio engine would not play with, although the request succeeds. */
  #reportOddSize(requestedSize: number): void {
    const { actualSize } = this;
    if (actualSize < requestedSize) {
      this.#pin.finding(
        `The cyclic buffer has ${actualSize} bytes, ${requestedSize} were asked for: the Windows audio engine refuses a smaller one.`,
        { actualSize, requestedSize },
      );
    }
    const frameBytes = waveFormatOf(this.#pin.dataFormat)?.nBlockAlign ?? 1;
    const packets = Math.max(1, this.notificationCount);
    if (frameBytes > 0 && actualSize % (frameBytes * packets) !== 0) {
      this.#pin.finding(
        `The cyclic buffer's ${actualSize} bytes are not ${packets} packet(s) of whole frames of ${frameBytes} bytes.`,
        { actualSize, packets, frameBytes },
      );
    }
  }
}

/** What is wrong with an allocated buffer as the miniport describes it, or null. */
function flawOf(buffer: WaveRTAudioBuffer): string | null {
  if (!(buffer?.audioBufferMdl instanceof MDL)) return 'no MDL';
  const { audioBufferMdl: mdl, actualSize, offsetFromFirstPage, cacheType } = buffer;
  if (mdl.freed) return 'an MDL that has been freed';
  if (!Number.isInteger(actualSize) || actualSize <= 0) return `ActualSize ${actualSize}`;
  if (!Number.isInteger(offsetFromFirstPage) || offsetFromFirstPage < 0) {
    return `OffsetFromFirstPage ${offsetFromFirstPage}`;
  }
  if (offsetFromFirstPage + actualSize > mdl.pages.length * PAGE_SIZE) {
    return (
      `a buffer of ${actualSize} bytes from offset ${offsetFromFirstPage} on, ` +
      `which an MDL of ${mdl.pages.length} page(s) does not hold`
    );
  }
  if (cacheType !== 0 && cacheType !== 1 && cacheType !== 2) return `CacheType ${String(cacheType)}`;
  return null;
}
