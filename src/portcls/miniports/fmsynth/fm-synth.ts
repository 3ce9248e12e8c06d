import { type MidiMessageHandler, MidiMessageParser } from '../../../ks/index.ts';
import { attenuationSteps, brightnessSteps } from './levels.ts';
import { MELODIC_BANK } from './melodic-bank.ts';
import { MidiChannel } from './midi-channel.ts';
import { channelRegisters, type OplChip } from './opl-chip.ts';
import type { FmDrum, FmOperator, FmPatch } from './patch.ts';
import { PERCUSSION_BANK } from './percussion-bank.ts';
import { blockAndFNumber, PITCH_UNITS_PER_SEMITONE } from './pitch.ts';
import * as R from './registers.ts';
import { type Voice, VoiceAllocator } from './voice-allocator.ts';

const DRUM_CHANNEL = 9;
/** Controllers (MIDI 1.0, table III). */
const CC_MODULATION = 1;
const CC_DATA_HIGH = 6;
const CC_VOLUME = 7;
const CC_PAN = 10;
const CC_EXPRESSION = 11;
const CC_DATA_LOW = 38;
const CC_SUSTAIN = 64;
const CC_NRPN_LOW = 98;
const CC_NRPN_HIGH = 99;
const CC_RPN_LOW = 100;
const CC_RPN_HIGH = 101;
const CC_ALL_SOUND_OFF = 120;
const CC_RESET_CONTROLLERS = 121;
const CC_ALL_NOTES_OFF = 123;

/** From here on the modulation wheel counts as pushed: vibrato is on or off, as the chip has it. */
const MODULATION_THRESHOLD = 40;
/** Pan positions below and above which one side is switched off: the chip knows left, right and both. */
const PAN_LEFT = 43;
const PAN_RIGHT = 84;
/** Universal messages are short; of longer ones nothing is wanted. */
const LONGEST_EXCLUSIVE = 64;

/** What is on one of the chip's channels. */
interface Sound {
  patch: FmPatch;
  velocity: number;
  /** In 1/256 semitone, without bend and tuning. */
  pitch: number;
  /** Exclusive group of a drum, 0 for none. */
  group: number;
}

/** How loud each side is; the volume node of FmSynthWithVol sets it. */
export interface OutputLevel {
  /** Attenuation in steps of 0.75 dB, 0 to 63. */
  readonly attenuation: number;
  readonly left: boolean;
  readonly right: boolean;
}

/**
 * A General MIDI synthesizer on an OPL: sixteen channels, percussion on the tenth, 18 voices of two operators each on an OPL3, nine on an
 * OPL2, with stealing; pitch bend with range and tuning, volume, expression, pan, modulation, the sustain pedal, and the universal messages
 * "GM on" and "master volume". Register writes only; everything up to DISPATCH_LEVEL.
 */
export class FmSynth implements MidiMessageHandler {
  readonly #chip: OplChip;
  readonly #channels = Array.from({ length: 16 }, () => new MidiChannel());
  readonly #parser = new MidiMessageParser(this, LONGEST_EXCLUSIVE);
  readonly #voices: VoiceAllocator;
  readonly #sounds: Sound[];
  #output: OutputLevel = { attenuation: 0, left: true, right: true };
  /** Universal master volume, 0 to 127. */
  #masterVolume = 127;
  #notes = 0;

  constructor(chip: OplChip) {
    this.#chip = chip;
    this.#voices = new VoiceAllocator(chip.channelCount);
    this.#sounds = Array.from({ length: chip.channelCount }, () => ({
      patch: MELODIC_BANK[0] as FmPatch,
      velocity: 0,
      pitch: 0,
      group: 0,
    }));
  }

  /** Notes begun since {@link resetStatistics}. */
  get notes(): number {
    return this.#notes;
  }

  /** Notes that were cut off because all voices were in use. */
  get notesLost(): number {
    return this.#voices.stolen;
  }

  get voicesSounding(): number {
    return this.#voices.sounding;
  }

  resetStatistics(): void {
    this.#notes = 0;
    this.#voices.resetStatistics();
  }

  /** The chip as after power-on, and General MIDI's defaults on all channels. */
  reset(): void {
    this.#chip.reset();
    this.#parser.reset();
    for (const voice of this.#voices.voices) this.#voices.free(voice);
    for (const channel of this.#channels) channel.reset();
    this.#masterVolume = 127;
  }

  /** Power is back: the chip is as after power-on, the channels keep what messages have set. */
  restore(): void {
    this.#chip.reset();
    for (const voice of this.#voices.voices) this.#voices.free(voice);
  }

  write(bytes: Uint8Array): void {
    this.#parser.pushAll(bytes);
  }

  /** All keys go up, pedals too: what sounds dies away. */
  releaseAll(): void {
    for (const channel of this.#channels) channel.sustain = false;
    for (const voice of this.#voices.voices) this.#keyUp(voice);
  }

  /** Silence, now. */
  silence(): void {
    for (const voice of this.#voices.voices) this.#cut(voice);
  }

  get output(): OutputLevel {
    return this.#output;
  }

  set output(level: OutputLevel) {
    this.#output = level;
    this.#refresh(
      () => true,
      (voice) => {
        this.#setLevels(voice);
        this.#setConnection(voice);
      },
    );
  }

  // ------------------------------------------------------------------ MIDI messages

  message(status: number, data1: number, data2: number): void {
    const channel = status & 0x0f;
    switch (status & 0xf0) {
      case 0x80:
        this.#noteOff(channel, data1);
        return;
      case 0x90:
        if (data2 === 0) this.#noteOff(channel, data1);
        else this.#noteOn(channel, data1, data2);
        return;
      case 0xb0:
        this.#control(channel, data1, data2);
        return;
      case 0xc0:
        this.#channel(channel).program = data1;
        return;
      case 0xe0:
        this.#channel(channel).bend = data1 + data2 * 128 - 8192;
        this.#retune(channel);
        return;
      default:
      // Aftertouch and system common messages: nothing on this chip answers them.
    }
  }

  /** Universal messages (MIDI 1.0 detailed specification): GM system on, master volume. */
  systemExclusive(bytes: Uint8Array, complete: boolean): void {
    if (!complete || bytes[0] !== 0xf0) return;
    const is = (...pattern: readonly number[]) =>
      pattern.every((byte, index) => byte < 0 || bytes[index] === byte);
    if (bytes.length === 6 && is(0xf0, 0x7e, -1, 0x09, 0x01, 0xf7)) this.reset();
    else if (bytes.length === 8 && is(0xf0, 0x7f, -1, 0x04, 0x01, -1, -1, 0xf7)) {
      this.#masterVolume = bytes[6] as number;
      this.#refresh(
        () => true,
        (voice) => this.#setLevels(voice),
      );
    }
  }

  /** FFh, system reset. */
  realTime(status: number): void {
    if (status === 0xff) this.reset();
  }

  #channel(channel: number): MidiChannel {
    return this.#channels[channel & 0x0f] as MidiChannel;
  }

  #control(channel: number, controller: number, value: number): void {
    const state = this.#channel(channel);
    const mine = (voice: Voice) => voice.midiChannel === channel;
    switch (controller) {
      case CC_MODULATION:
        state.modulation = value;
        this.#refresh(mine, (voice) => this.#setOperators(voice));
        return;
      case CC_VOLUME:
        state.volume = value;
        this.#refresh(mine, (voice) => this.#setLevels(voice));
        return;
      case CC_EXPRESSION:
        state.expression = value;
        this.#refresh(mine, (voice) => this.#setLevels(voice));
        return;
      case CC_PAN:
        state.pan = value;
        this.#refresh(mine, (voice) => this.#setConnection(voice));
        return;
      case CC_SUSTAIN:
        state.sustain = value >= 64;
        if (!state.sustain) {
          for (const voice of this.#voices.voices)
            if (voice.state === 'pedal' && mine(voice)) this.#keyUp(voice);
        }
        return;
      case CC_DATA_HIGH:
      case CC_DATA_LOW:
        if (state.enterData(controller === CC_DATA_HIGH ? 'high' : 'low', value)) this.#retune(channel);
        return;
      case CC_NRPN_LOW:
      case CC_NRPN_HIGH:
        state.selectNoParameter();
        return;
      case CC_RPN_LOW:
      case CC_RPN_HIGH:
        state.selectParameter(controller === CC_RPN_LOW ? 'low' : 'high', value);
        return;
      case CC_RESET_CONTROLLERS:
        state.resetControllers();
        for (const voice of this.#voices.voices)
          if (voice.state === 'pedal' && mine(voice)) this.#keyUp(voice);
        this.#refresh(mine, (voice) => {
          this.#setOperators(voice);
          this.#setLevels(voice);
        });
        this.#retune(channel);
        return;
      case CC_ALL_SOUND_OFF:
        for (const voice of this.#voices.voices) if (mine(voice)) this.#cut(voice);
        return;
      default:
        // 123 to 127 each end all notes; the pedal still holds what it holds.
        if (controller >= CC_ALL_NOTES_OFF)
          for (const voice of this.#voices.voices)
            if (voice.state === 'held' && mine(voice)) this.#noteOff(channel, voice.key);
    }
  }

  // ------------------------------------------------------------------ notes

  #noteOn(channel: number, key: number, velocity: number): void {
    const drum = channel === DRUM_CHANNEL ? PERCUSSION_BANK.get(key) : undefined;
    if (channel === DRUM_CHANNEL && drum === undefined) return;
    if (drum !== undefined && drum.group !== 0) this.#endGroup(drum.group);
    this.#notes++;
    const voice = this.#voices.allocate(channel, key);
    const { register } = channelRegisters(voice.channel);
    // Key off first: otherwise the envelopes would not begin anew.
    this.#chip.write(R.KON_BLOCK_FNUM + register, 0);
    this.#prepare(this.#sound(voice), channel, key, velocity, drum);
    this.#setOperators(voice);
    this.#setLevels(voice);
    this.#setConnection(voice);
    this.#setPitch(voice, true);
  }

  #prepare(sound: Sound, channel: number, key: number, velocity: number, drum: FmDrum | undefined): void {
    const patch = drum ?? (MELODIC_BANK[this.#channel(channel).program] as FmPatch);
    sound.patch = patch;
    sound.velocity = velocity;
    sound.pitch = ((drum?.key ?? key) + patch.transpose) * PITCH_UNITS_PER_SEMITONE;
    sound.group = drum?.group ?? 0;
  }

  #noteOff(channel: number, key: number): void {
    // Drums sound as long as they do.
    if (channel === DRUM_CHANNEL) {
      for (const voice of this.#voices.voices)
        if (voice.state === 'held' && voice.midiChannel === channel && voice.key === key)
          this.#voices.release(voice);
      return;
    }
    const sustain = this.#channel(channel).sustain;
    for (const voice of this.#voices.voices) {
      if (voice.state !== 'held' || voice.midiChannel !== channel || voice.key !== key) continue;
      if (sustain) this.#voices.holdByPedal(voice);
      else this.#keyUp(voice);
    }
  }

  #endGroup(group: number): void {
    for (const voice of this.#voices.voices)
      if (voice.state !== 'free' && this.#sound(voice).group === group) this.#cut(voice);
  }

  #keyUp(voice: Voice): void {
    if (voice.state === 'free' || voice.state === 'released') return;
    this.#voices.release(voice);
    this.#setPitch(voice, false);
  }

  #cut(voice: Voice): void {
    const { register, modulator, carrier } = channelRegisters(voice.channel);
    for (const operator of [modulator, carrier]) this.#chip.write(R.KSL_TL + operator, R.TL_SILENT);
    this.#chip.write(R.KON_BLOCK_FNUM + register, 0);
    this.#sound(voice).group = 0;
    this.#voices.free(voice);
  }

  #sound(voice: Voice): Sound {
    return this.#sounds[voice.channel] as Sound;
  }

  #refresh(which: (voice: Voice) => boolean, update: (voice: Voice) => void): void {
    for (const voice of this.#voices.voices) if (voice.state !== 'free' && which(voice)) update(voice);
  }

  #retune(channel: number): void {
    // Drums stay as they are.
    if (channel === DRUM_CHANNEL) return;
    this.#refresh(
      (voice) => voice.midiChannel === channel,
      (voice) => this.#setPitch(voice, voice.state === 'held' || voice.state === 'pedal'),
    );
  }

  // ------------------------------------------------------------------ registers

  #setOperators(voice: Voice): void {
    const { patch } = this.#sound(voice);
    const { modulator, carrier } = channelRegisters(voice.channel);
    const vibrato = this.#channel(voice.midiChannel).modulation >= MODULATION_THRESHOLD;
    this.#setOperator(modulator, patch.modulator, vibrato);
    this.#setOperator(carrier, patch.carrier, vibrato);
  }

  #setOperator(offset: number, operator: FmOperator, vibrato: boolean): void {
    const { flags, mult, attack, decay, sustain, release, wave } = operator;
    // An OPL2 has the first four waveforms only.
    const waves = this.#chip.kind === 'OPL3' ? 7 : 3;
    this.#chip.write(R.AM_VIB_EGT_KSR_MULT + offset, flags | (vibrato ? R.OP_VIB : 0) | mult);
    this.#chip.write(R.AR_DR + offset, (attack << 4) | decay);
    this.#chip.write(R.SL_RR + offset, (sustain << 4) | release);
    this.#chip.write(R.WAVEFORM + offset, wave & waves);
  }

  #setLevels(voice: Voice): void {
    const { patch, velocity } = this.#sound(voice);
    const { volume, expression } = this.#channel(voice.midiChannel);
    const { modulator, carrier } = channelRegisters(voice.channel);
    const attenuation =
      attenuationSteps(velocity, volume, expression) +
      attenuationSteps(this.#masterVolume, 127, 127) +
      this.#output.attenuation;
    this.#setLevel(carrier, patch.carrier, attenuation);
    this.#setLevel(modulator, patch.modulator, patch.additive ? attenuation : brightnessSteps(velocity));
  }

  #setLevel(offset: number, operator: FmOperator, attenuation: number): void {
    const level = Math.min(R.TL_SILENT, operator.level + attenuation);
    this.#chip.write(R.KSL_TL + offset, (operator.keyScale << 6) | level);
  }

  /** Feedback, connection, and on an OPL3 the sides. */
  #setConnection(voice: Voice): void {
    const { patch } = this.#sound(voice);
    const { pan } = this.#channel(voice.midiChannel);
    const left = pan <= PAN_RIGHT && this.#output.left;
    const right = pan >= PAN_LEFT && this.#output.right;
    const sides = this.#chip.kind === 'OPL3' ? (left ? R.CHA : 0) | (right ? R.CHB : 0) : 0;
    const { register } = channelRegisters(voice.channel);
    this.#chip.write(R.FB_CNT + register, sides | (patch.feedback << 1) | (patch.additive ? R.CNT : 0));
  }

  #setPitch(voice: Voice, keyOn: boolean): void {
    const sound = this.#sound(voice);
    const offset = voice.midiChannel === DRUM_CHANNEL ? 0 : this.#channel(voice.midiChannel).pitchOffset;
    const code = blockAndFNumber(sound.pitch + offset);
    const { register } = channelRegisters(voice.channel);
    this.#chip.write(R.FNUM_LOW + register, code & 0xff);
    this.#chip.write(R.KON_BLOCK_FNUM + register, (keyOn ? R.KON : 0) | (code >> 8));
  }
}
