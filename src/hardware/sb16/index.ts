/** The Sound Blaster 16. */
export {
  Sb16Card,
  type Sb16CardOptions,
  type Sb16Position,
  type Sb16RegisterValue,
} from './card.ts';
export { DSP_COMMANDS, type DspCommand, dspCommand } from './dsp-commands.ts';
export type { Sb16Jacks } from './jacks.ts';
export { MIX_RATE } from './output.ts';
export { SB16_LOGICAL_AUDIO, SB16_LOGICAL_GAME, sb16PnpDescription } from './pnp-description.ts';
export { MIXER_REGISTERS, type MixerRegister, mixerRegister } from './registers.ts';
export type { Sb16JumperSettings, Sb16Settings } from './settings.ts';
