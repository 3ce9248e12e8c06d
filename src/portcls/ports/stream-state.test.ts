import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  NtError,
  STATUS_DEVICE_NOT_READY,
  STATUS_INVALID_PARAMETER,
  STATUS_UNSUCCESSFUL,
} from '../../kernel/index.ts';
import { type KSSTATE, KSSTATE_ACQUIRE, KSSTATE_PAUSE, KSSTATE_RUN, KSSTATE_STOP } from '../../ks/index.ts';
import { StreamState } from './stream-state.ts';

/** A stream that refuses the states in `refused` and notes what it was told. */
function streamRefusing(...refused: KSSTATE[]) {
  const told: KSSTATE[] = [];
  const failures: KSSTATE[] = [];
  const state = new StreamState(
    (next) => {
      told.push(next);
      if (refused.includes(next)) throw new NtError(STATUS_DEVICE_NOT_READY);
    },
    (next) => failures.push(next),
  );
  return { state, told, failures, refused };
}

describe('stream state', () => {
  test('STOP to RUN and back passes every state between, once', () => {
    const { state, told } = streamRefusing();
    state.moveTo(KSSTATE_RUN);
    expect(told).toEqual([KSSTATE_ACQUIRE, KSSTATE_PAUSE, KSSTATE_RUN]);
    state.moveTo(KSSTATE_STOP);
    expect(told.slice(3)).toEqual([KSSTATE_PAUSE, KSSTATE_ACQUIRE, KSSTATE_STOP]);
  });

  test('the state it is in is not told again', () => {
    const { state, told } = streamRefusing();
    state.moveTo(KSSTATE_STOP);
    state.moveTo(KSSTATE_PAUSE);
    state.moveTo(KSSTATE_PAUSE);
    expect(told).toEqual([KSSTATE_ACQUIRE, KSSTATE_PAUSE]);
  });

  test('a refused upward step keeps the state reached before it and gives its status', () => {
    const { state } = streamRefusing(KSSTATE_RUN);
    expect(() => state.moveTo(KSSTATE_RUN)).toThrow(
      expect.objectContaining({ status: STATUS_DEVICE_NOT_READY }),
    );
    expect(state.current).toBe(KSSTATE_PAUSE);
  });

  test('refused downward steps are reported, and STOP is reached all the same', () => {
    const { state, failures, refused } = streamRefusing();
    state.moveTo(KSSTATE_RUN);
    refused.push(KSSTATE_PAUSE, KSSTATE_STOP);
    expect(() => state.moveTo(KSSTATE_STOP)).toThrow(
      expect.objectContaining({ status: STATUS_DEVICE_NOT_READY }),
    );
    expect(state.current).toBe(KSSTATE_STOP);
    expect(failures).toEqual([KSSTATE_PAUSE, KSSTATE_STOP]);
  });

  test('numbers that are no state are STATUS_INVALID_PARAMETER and change nothing', () => {
    const { state, told } = streamRefusing();
    for (const target of [-1, 4, 2.5, 0xffffffff]) {
      expect(() => state.moveTo(target)).toThrow(
        expect.objectContaining({ status: STATUS_INVALID_PARAMETER }),
      );
    }
    expect(told).toEqual([]);
  });

  test('an exception that is no status passes through and leaves the state', () => {
    const state = new StreamState(
      (next) => {
        if (next === KSSTATE_PAUSE) throw new TypeError('driver bug');
      },
      () => {},
    );
    expect(() => state.moveTo(KSSTATE_RUN)).toThrow(TypeError);
    expect(state.current).toBe(KSSTATE_ACQUIRE);
  });

  test('whatever is asked for and refused, the stream sees neighbours only', () => {
    const request = fc.record({
      target: fc.integer({ min: -1, max: 4 }),
      refuse: fc.constantFrom(0, 1, 2, 3, 9),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 30 }), (requests) => {
        let refuse = 9;
        let streamIsIn: number = KSSTATE_STOP;
        const state = new StreamState(
          (next) => {
            expect(Math.abs(next - streamIsIn)).toBe(1);
            const downward = next < streamIsIn;
            const fails = next === refuse;
            if (!fails || downward) streamIsIn = next;
            if (fails) throw new NtError(STATUS_UNSUCCESSFUL);
          },
          () => {},
        );
        for (const { target, refuse: refused } of requests) {
          refuse = refused;
          const before = state.current;
          let ok = true;
          try {
            state.moveTo(target);
          } catch (error) {
            expect(error).toBeInstanceOf(NtError);
            ok = false;
          }
          expect(state.current).toBe(streamIsIn);
          if (ok) expect(state.current).toBe(target);
          else if (target > before && target < 4) expect(state.current).toBeLessThan(target);
        }
      }),
    );
  });
});
