import { describe, expect, it } from 'vitest';
import { KSSTATE_PAUSE, KSSTATE_RUN, KSSTATE_STOP } from '../../../ks/index.ts';
import { CyclicMachine, same, sound } from './test-client.ts';

const MS_BYTES = 192;

describe('a render pin', () => {
  it('plays what it is given, bit by bit', () => {
    const machine = new CyclicMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    const bytes = sound(100 * MS_BYTES);
    for (let i = 0; i < 10; i++) pin.write(bytes.subarray(i * 10 * MS_BYTES, (i + 1) * 10 * MS_BYTES));
    pin.setState(KSSTATE_RUN);
    machine.runMs(200);
    expect(pin.packets.map((packet) => packet.statusName)).toEqual(new Array(10).fill('STATUS_SUCCESS'));
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    expect(new Set(pin.stream.played.bytes.subarray(bytes.length))).toEqual(new Set([0]));
    expect(pin.position()).toEqual({ playOffset: bytes.length, writeOffset: bytes.length });
    pin.setState(KSSTATE_STOP);
    expect(pin.position()).toEqual({ playOffset: 0, writeOffset: 0 });
    expect(machine.findings).toEqual([]);
    expect(machine.end()).toEqual([]);
  });
});
