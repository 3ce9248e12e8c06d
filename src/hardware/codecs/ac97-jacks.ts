import type { PcmFormat, PcmSink, PcmSource } from '../../hal/bus.ts';

/** What is plugged into a codec. Microphones, phone and PC beep are mono, everything else is stereo. */
export interface Ac97Jacks {
  readonly lineOut?: PcmSink;
  readonly headphoneOut?: PcmSink;
  readonly monoOut?: PcmSink;
  readonly micIn?: PcmSource;
  readonly mic2In?: PcmSource;
  readonly lineIn?: PcmSource;
  readonly cdIn?: PcmSource;
  readonly videoIn?: PcmSource;
  readonly auxIn?: PcmSource;
  readonly phoneIn?: PcmSource;
  readonly pcBeepIn?: PcmSource;
}

/** Which output the amplifier behind the EAPD pin drives: with EAPD set, that jack is silent. */
export type ExternalAmplifier = 'lineOut' | 'headphoneOut' | 'none';

/** The same object for the same format, so that blocks cost no allocation. */
export class FormatCache {
  #stereo: PcmFormat = { sampleRate: 48000, channels: 2 };
  #mono: PcmFormat = { sampleRate: 48000, channels: 1 };

  stereo(sampleRate: number): PcmFormat {
    if (this.#stereo.sampleRate !== sampleRate) this.#stereo = { sampleRate, channels: 2 };
    return this.#stereo;
  }

  mono(sampleRate: number): PcmFormat {
    if (this.#mono.sampleRate !== sampleRate) this.#mono = { sampleRate, channels: 1 };
    return this.#mono;
  }
}
