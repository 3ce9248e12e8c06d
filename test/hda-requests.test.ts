import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioFormat, MemoryPcmReader } from '../src/client/index.ts';
import { type KsObject, ulongAt } from '../src/client/requests/ks-object.ts';
import { ntStatusName, ntSuccess, STATUS_BUFFER_OVERFLOW } from '../src/kernel/index.ts';
import {
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Connection,
  pcmFormat,
} from '../src/ks/index.ts';
import { bytesOf, noise } from './support/ac97-bench.ts';
import { Desktop, HdaBench } from './support/hda-bench.ts';
import { BUILDER_NAMES, BUILDERS, Dice, head, type Place, type WorldFacts } from './support/ks-attempts.ts';

const GUARD_BYTES = 8;
/** Speakers, recording, and the headphones in place of a third pin. */
const HOST_PINS: Readonly<Partial<Record<Place, number>>> = { render: 0, capture: 6, mic: 2 };

/** What the filters are made of, for requests that nearly fit. */
function factsOf(
  bench: HdaBench,
): Omit<WorldFacts, 'eventHandle' | 'fileHandle' | 'hasBuffer' | 'hasNotification' | 'state'> {
  const filters = bench.audio.inspect();
  const [wave, topology] = ['Wave', 'Topology'].map((name) => filters.find((one) => one.reference === name));
  if (!wave || !topology) throw new Error('a filter is missing');
  const withProperty = (property: string) =>
    topology.nodes.flatMap((node) => {
      const found = node.properties.find((one) => one.property === property);
      return found ? [{ node: node.id, channels: found.ranges.length }] : [];
    });
  const muxNode = topology.nodes.find(({ type }) => type === 'KSNODETYPE_MUX')?.id ?? -1;
  return {
    pins: { wave: wave.pins.length, topology: topology.pins.length },
    nodes: { wave: wave.nodes.length, topology: topology.nodes.length },
    volumeNodes: withProperty('KSPROPERTY_AUDIO_VOLUMELEVEL'),
    muteNodes: withProperty('KSPROPERTY_AUDIO_MUTE'),
    muxNode,
    muxInputs: topology.connections.filter(({ toNode }) => toNode === muxNode).length,
  };
}

describe('any request to the HDA filters and pins', () => {
  it('gets a status and nothing but its own bytes, and harms neither driver nor card', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fff_ffff }), (seed) => {
        const dice = new Dice(seed);
        using bench = new HdaBench();
        const wave = bench.openFilter('Wave');
        const topology = bench.openFilter('Topology');
        const objects = new Map<Place, KsObject>([
          ['wave', wave],
          ['topology', topology],
        ]);
        const pins = Object.entries(HOST_PINS).map(([place, pin]) => {
          const opened = bench.openPin(wave, pin, pcmFormat(48_000, 2, 16));
          objects.set(place as Place, opened.object);
          return opened;
        });
        const facts: WorldFacts = {
          ...factsOf(bench),
          eventHandle: bench.process.createEvent(),
          fileHandle: wave.handle,
          hasBuffer: () => false,
          hasNotification: () => false,
          state: (place) => {
            const output = new Uint8Array(4);
            const input = head(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_GET);
            objects.get(place)?.tryControl(input, output);
            return ulongAt(output);
          },
        };
        for (let number = 0; number < 1500; number++) {
          if (dice.next(16) === 0) bench.pass(dice.next(4) + 0.1);
          const builder = BUILDERS[dice.pick(BUILDER_NAMES)] as (typeof BUILDERS)[string];
          const attempt = builder(dice, facts);
          const length = attempt.outputLength;
          const memory = new Uint8Array((length ?? 0) + 2 * GUARD_BYTES).fill(0xa5);
          const output = length === null ? null : memory.subarray(GUARD_BYTES, GUARD_BYTES + length);
          if (attempt.value !== undefined) output?.set(attempt.value.subarray(0, length ?? 0));
          const { status, information } = bench.process.deviceIoControl(
            (objects.get(attempt.place) as KsObject).handle,
            attempt.code,
            attempt.input?.slice() ?? null,
            output,
          );
          const told = `${attempt.what} on ${attempt.place}: ${ntStatusName(status)}, ${information}`;
          const guards = [
            ...memory.subarray(0, GUARD_BYTES),
            ...memory.subarray(memory.length - GUARD_BYTES),
          ];
          if (!guards.every((byte) => byte === 0xa5)) throw new Error(`${told}; it wrote beyond its buffer`);
          if (ntSuccess(status) && information > (length ?? 0)) throw new Error(`${told}; too much`);
          if (!ntSuccess(status) && status !== STATUS_BUFFER_OVERFLOW && information !== 0)
            throw new Error(`${told}; a failure returns nothing`);
        }
        for (const pin of pins) pin.close();
        wave.close();
        topology.close();
        // Whatever was set is set back, and it plays as ever.
        const controls = bench.audio.controls();
        for (const control of controls.list) {
          if (
            control.set &&
            (control.kind === 'level' || control.property.property === 'KSPROPERTY_AUDIO_MUTE')
          )
            controls.set(control, /Monitor Mute/.test(control.name) ? 1 : 0);
        }
        bench.sink(Desktop.front).clear();
        const samples = noise(4800, 21);
        const stream = bench.audio.openRender(bench.audio.endpoint('render'), {
          source: new MemoryPcmReader(audioFormat(), bytesOf(samples)),
          mode: 'event',
        });
        stream.start();
        expect(bench.run(() => stream.ended)).toBe(true);
        const heard = bench.heard(Desktop.front);
        expect(samples.findIndex((sample, index) => sample !== heard[index])).toBe(-1);
        expect(bench.findings).toEqual([]);
      }),
      { numRuns: 6, endOnFailure: true },
    );
  });
});
