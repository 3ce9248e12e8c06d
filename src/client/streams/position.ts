import { NtError, ntSuccess } from '../../kernel/index.ts';
import {
  KSAUDIO_POSITION,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Audio,
  KSPROPSETID_RtAudio,
  KSRTAUDIO_HWREGISTER,
} from '../../ks/index.ts';
import type { KsObject } from '../requests/ks-object.ts';
import { encodeProperty } from '../requests/ks-object.ts';

/** Where a stream is in its cyclic buffer. */
export interface PositionSource {
  /** `register`: mapped into the process; `property`: KSPROPERTY_AUDIO_POSITION. */
  readonly kind: 'register' | 'property';
  /** Reads both offsets anew. Throws an NtError with the driver's status. */
  update(): void;
  /** Byte being played or recorded. */
  readonly playOffset: number;
  /** Byte up to which the device has taken (render) or given (capture) data. */
  readonly writeOffset: number;
}

/** Asks the pin. The request's bytes are made once. */
class PropertyPosition implements PositionSource {
  readonly kind = 'property';
  playOffset = 0;
  writeOffset = 0;
  readonly #pin: KsObject;
  readonly #request = encodeProperty(KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, KSPROPERTY_TYPE_GET);
  readonly #answer = new Uint8Array(KSAUDIO_POSITION.size);
  readonly #view = new DataView(this.#answer.buffer);

  constructor(pin: KsObject) {
    this.#pin = pin;
  }

  update(): void {
    const { status } = this.#pin.tryControl(this.#request, this.#answer);
    if (!ntSuccess(status)) throw new NtError(status);
    this.playOffset = this.#view.getUint32(0, true) + this.#view.getUint32(4, true) * 2 ** 32;
    this.writeOffset = this.#view.getUint32(8, true) + this.#view.getUint32(12, true) * 2 ** 32;
  }
}

/** Reads the register that the driver mapped. */
class RegisterPosition implements PositionSource {
  readonly kind = 'register';
  playOffset = 0;
  readonly #pin: KsObject;
  readonly #address: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(pin: KsObject, address: number, widthBits: number) {
    this.#pin = pin;
    this.#address = address;
    this.#bytes = new Uint8Array(widthBits / 8);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get writeOffset(): number {
    return this.playOffset;
  }

  update(): void {
    this.#pin.process.readMemory(this.#address, this.#bytes);
    const high = this.#bytes.byteLength === 8 ? this.#view.getUint32(4, true) : 0;
    this.playOffset = this.#view.getUint32(0, true) + high * 2 ** 32;
  }
}

/**
 * The way to a stream's position: the position register when the driver maps one (KSPROPERTY_RTAUDIO_POSITIONREGISTER), else the
 * property. The buffer has been allocated before.
 */
export function openPosition(pin: KsObject, preferRegister: boolean): PositionSource {
  if (preferRegister) {
    // KSRTAUDIO_HWREGISTER_PROPERTY: KSPROPERTY and a base address, which must be 0.
    const request = encodeProperty(
      KSPROPSETID_RtAudio,
      KSPROPERTY_RTAUDIO_POSITIONREGISTER,
      KSPROPERTY_TYPE_GET,
      [0, 0],
    );
    const answer = new Uint8Array(KSRTAUDIO_HWREGISTER.size);
    const { status } = pin.tryControl(request, answer);
    if (ntSuccess(status)) {
      const { register, width } = KSRTAUDIO_HWREGISTER.decode(answer);
      if (width === 32 || width === 64) return new RegisterPosition(pin, register, width);
    }
  }
  return new PropertyPosition(pin);
}
