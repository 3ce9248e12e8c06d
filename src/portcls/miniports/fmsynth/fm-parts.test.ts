import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attenuationSteps, brightnessSteps } from './levels.ts';
import { MELODIC_BANK } from './melodic-bank.ts';
import { op } from './patch.ts';
import { FIRST_DRUM_KEY, LAST_DRUM_KEY, PERCUSSION_BANK } from './percussion-bank.ts';
import { blockAndFNumber, PITCH_UNITS_PER_SEMITONE } from './pitch.ts';
import { VoiceAllocator } from './voice-allocator.ts';

describe('the instrument bank', () => {
  it('has 128 programs and the percussion map of General MIDI', () => {
    expect(MELODIC_BANK).toHaveLength(128);
    expect(new Set(MELODIC_BANK.map(({ name }) => name)).size).toBe(128);
    expect([...PERCUSSION_BANK.keys()]).toEqual(
      Array.from({ length: LAST_DRUM_KEY - FIRST_DRUM_KEY + 1 }, (_, index) => FIRST_DRUM_KEY + index),
    );
  });

  it('holds values that the registers hold', () => {
    for (const { modulator, carrier, feedback } of [...MELODIC_BANK, ...PERCUSSION_BANK.values()]) {
      expect(feedback).toBeLessThanOrEqual(7);
      for (const one of [modulator, carrier]) expect(one.flags & 0x0f).toBe(0);
    }
    expect(op('2:18 15-3-4-6 w1 svk l2')).toEqual({
      mult: 2,
      level: 18,
      attack: 15,
      decay: 3,
      sustain: 4,
      release: 6,
      wave: 1,
      keyScale: 2,
      flags: 0x70,
    });
  });

  it.each([
    '',
    '16:0 1-1-1-1',
    '1:64 1-1-1-1',
    '1:0 1-1-1',
    '1:0 1-1-1-16',
    '1:0 1-1-1-1 w8',
    '1:0 1-1-1-1 x',
  ])("does not take '%s' for an operator", (text) => {
    expect(() => op(text)).toThrow(`'${text}'`);
  });
});

describe('pitches', () => {
  it('become F-numbers within 4 cents from key 7 to 113, within 2 from key 18, whatever the bend', () => {
    for (let pitch = 7 * PITCH_UNITS_PER_SEMITONE; pitch < 114 * PITCH_UNITS_PER_SEMITONE; pitch++) {
      const code = blockAndFNumber(pitch);
      const [block, fNumber] = [code >> 10, code & 0x3ff];
      const frequency = (fNumber * (14_318_180 / 288)) / 2 ** (20 - block);
      const wanted = 440 * 2 ** ((pitch / PITCH_UNITS_PER_SEMITONE - 69) / 12);
      const finest = pitch >= 18 * PITCH_UNITS_PER_SEMITONE;
      expect(Math.abs(1200 * Math.log2(frequency / wanted))).toBeLessThan(finest ? 2 : 4);
      if (finest) expect(fNumber).toBeGreaterThanOrEqual(487);
    }
  });

  it('of any number fit the registers', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), (pitch) => {
        const code = blockAndFNumber(pitch);
        expect(code).toBeGreaterThanOrEqual(0);
        expect(code).toBeLessThan(8 * 1024);
      }),
    );
  });
});

describe('levels', () => {
  it('add up in decibels, and end at silence', () => {
    expect(attenuationSteps(127, 127, 127)).toBe(0);
    // 40 log10(127 ÷ 64) = 11.9 dB are 15.9 steps of 0.75 dB.
    expect(attenuationSteps(64, 127, 127)).toBe(16);
    expect(attenuationSteps(64, 64, 127)).toBe(32);
    expect(attenuationSteps(0, 127, 127)).toBe(63);
    expect(attenuationSteps(1, 1, 1)).toBe(63);
    expect([127, 64, 0].map(brightnessSteps)).toEqual([0, 2, 5]);
  });
});

describe('voices', () => {
  it('go to the same key first, then to what is missed least', () => {
    const allocator = new VoiceAllocator(3);
    const [a, b] = [allocator.allocate(0, 60), allocator.allocate(0, 61)];
    expect(allocator.allocate(0, 60)).toBe(a);
    const c = allocator.allocate(1, 60);
    expect(new Set([a, b, c]).size).toBe(3);
    allocator.release(c);
    expect(allocator.allocate(0, 70)).toBe(c);
    allocator.holdByPedal(a);
    expect(allocator.allocate(0, 71)).toBe(a);
    expect(allocator.stolen).toBe(1);
    // b is the oldest of those that are held.
    expect(allocator.allocate(0, 72)).toBe(b);
    expect(allocator.stolen).toBe(2);
    expect(allocator.sounding).toBe(3);
  });

  it('are never more than there are, and a released one is taken before any that is held', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.nat(3), fc.integer({ min: 60, max: 70 })), { maxLength: 100 }),
        (steps) => {
          const allocator = new VoiceAllocator(4);
          for (const [on, channel, key] of steps) {
            const idle = allocator.voices.some(({ state }) => state === 'free' || state === 'released');
            const before = allocator.stolen;
            if (on) {
              const voice = allocator.allocate(channel, key);
              expect([voice.midiChannel, voice.key, voice.state]).toEqual([channel, key, 'held']);
              if (idle) expect(allocator.stolen).toBe(before);
            } else {
              for (const voice of allocator.voices)
                if (voice.state === 'held' && voice.midiChannel === channel && voice.key === key)
                  allocator.release(voice);
            }
            // One voice a key of a channel.
            const held = allocator.voices.filter(({ state }) => state === 'held');
            expect(new Set(held.map((voice) => `${voice.midiChannel}/${voice.key}`)).size).toBe(held.length);
          }
        },
      ),
    );
  });
});
