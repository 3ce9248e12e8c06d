import { ioSpaceToPhysical } from '../../../hal/index.ts';
import {
  ioFreeMdl,
  type MDL,
  mmBuildMdlForIoSpace,
  mmMapMdlToProcess,
  NtError,
  type UserProcess,
} from '../../../kernel/index.ts';
import type { KSRTAUDIO_HWREGISTER } from '../../../ks/index.ts';
import { unmapFromClient } from './client-mapping.ts';
import type { WaveRTPin } from './wavert-pin.ts';

/**
 * A hardware register in a client's address space, from KSPROPERTY_RTAUDIO_POSITIONREGISTER or _CLOCKREGISTER until the pin
 * closes. The miniport names it by the system address at which it reads it itself: device memory that it mapped with
 * MmMapIoSpace, or (for a device that keeps its position in memory) a place in pages of the port stream that it mapped. A
 * kernel-mode client gets that very address.
 */
export class RegisterMapping {
  /** In the client's address space. */
  readonly address: number;
  readonly #process: UserProcess | null;
  readonly #mdl: MDL | null;
  readonly #mdlAddress: number;
  readonly #ownsMdl: boolean;

  /** Bugchecks when the address is none that the driver could read itself. PASSIVE_LEVEL. */
  constructor(pin: WaveRTPin, process: UserProcess | null, register: KSRTAUDIO_HWREGISTER) {
    this.#process = process;
    if (process === null) {
      this.#mdl = null;
      this.#mdlAddress = 0;
      this.#ownsMdl = false;
      this.address = register.register;
      return;
    }
    const inMemory = pin.portStream.findMapped(register.register);
    if (inMemory !== null) {
      this.#mdl = inMemory.mdl;
      this.#ownsMdl = false;
      this.#mdlAddress = mmMapMdlToProcess(inMemory.mdl, process);
      this.address = this.#mdlAddress + inMemory.offset;
      return;
    }
    const bytes = register.width / 8;
    const mdl = mmBuildMdlForIoSpace(ioSpaceToPhysical(pin.port.kernel, register.register, bytes), bytes);
    this.#mdl = mdl;
    this.#ownsMdl = true;
    try {
      this.#mdlAddress = mmMapMdlToProcess(mdl, process);
    } catch (error) {
      if (error instanceof NtError) ioFreeMdl(mdl);
      throw error;
    }
    this.address = this.#mdlAddress;
  }

  /** Takes the register out of the client's address space. PASSIVE_LEVEL. */
  unmap(): void {
    if (this.#process === null || this.#mdl === null) return;
    unmapFromClient(this.#process, this.#mdlAddress, this.#mdl);
    if (this.#ownsMdl) ioFreeMdl(this.#mdl);
  }
}
