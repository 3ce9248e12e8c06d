/** What holds for every plan, on codecs that nobody would build: what is drawn is what is heard. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomCodec } from '../../../../test/support/hda-random-codec.ts';
import { TestLink } from '../../../../test/support/hda-test-codec.ts';
import type { HdaCodecDefinition } from '../../../hardware/hda/definition.ts';
import { HDA_CODECS } from '../../../hardware/hda/index.ts';
import { HdaRouter } from '../../../hardware/hda/routing.ts';
import {
  type CodecDevice,
  type CodecPlan,
  initialiseCodec,
  type PlanEnd,
  planCodec,
  readCodecGraph,
} from './index.ts';

const codecs: fc.Arbitrary<HdaCodecDefinition> = fc.oneof(
  { weight: 10, arbitrary: randomCodec },
  { weight: 1, arbitrary: fc.constantFrom(...HDA_CODECS) },
);

function bringUp(definition: HdaCodecDefinition) {
  const link = new TestLink(definition);
  const graph = readCodecGraph(link, 0);
  const plan = planCodec(graph);
  const codec = initialiseCodec(link, graph, plan);
  return { link, graph, plan, codec, router: new HdaRouter(link.codec) };
}

const key = (end: PlanEnd): string =>
  end.kind === 'node' ? `n${end.node}` : end.kind === 'port' ? `p${end.port}` : `d${end.device}`;

/** Every way from an end to all it reaches, as node ids; there are no circles. */
function ways(
  plan: CodecPlan,
  from: PlanEnd,
): { readonly nodes: readonly number[]; readonly inputs: readonly number[]; readonly to: PlanEnd }[] {
  const found: ReturnType<typeof ways> = [];
  const visit = (at: PlanEnd, nodes: readonly number[], inputs: readonly number[]): void => {
    for (const { from: source, to } of plan.connections) {
      if (key(source) !== key(at)) continue;
      const entering = plan.connections.filter((other) => key(other.to) === key(to));
      const input = entering.findIndex((other) => key(other.from) === key(source));
      if (to.kind === 'node') visit(to, [...nodes, to.node], [...inputs, input]);
      else found.push({ nodes, inputs, to });
    }
  };
  visit(from, [], []);
  return found;
}

/** Opens a way: every mute off, every mux on it set. */
function open(
  codec: CodecDevice,
  way: { readonly nodes: readonly number[]; readonly inputs: readonly number[] },
): void {
  for (const [index, id] of way.nodes.entries()) {
    const node = codec.plan.nodes[id]!;
    if (node.type === 'mux') codec.setMux(id, way.inputs[index]!);
    if (node.type === 'mute')
      for (const [channel, amp] of node.channels.entries()) if (amp) codec.setMute(id, channel, false);
  }
}

describe('every plan', () => {
  test('is a drawing without loose ends', () => {
    fc.assert(
      fc.property(codecs, (definition) => {
        const { plan } = bringUp(definition);
        const into = new Map<string, number>();
        const out = new Map<string, number>();
        for (const { from, to } of plan.connections) {
          into.set(key(to), (into.get(key(to)) ?? 0) + 1);
          out.set(key(from), (out.get(key(from)) ?? 0) + 1);
        }
        for (const node of plan.nodes) {
          expect(out.get(`n${node.id}`) ?? 0).toBeGreaterThan(0);
          const inputs = into.get(`n${node.id}`) ?? 0;
          if (node.type === 'mux') expect(inputs).toBe(node.choices.length);
          else if (node.type === 'sum') expect(inputs).toBeGreaterThan(1);
          else expect(inputs).toBe(1);
        }
        for (const [index, { direction, ports }] of plan.devices.entries()) {
          expect((direction === 'render' ? out : into).get(`d${index}`)).toBe(1);
          expect(ports.length).toBeGreaterThan(0);
        }
        for (const [index, { direction, jacks }] of plan.ports.entries()) {
          expect((direction === 'render' ? into : out).get(`p${index}`) ?? 0).toBeGreaterThan(0);
          expect(jacks.length).toBeGreaterThan(0);
        }
        expect(new Set(plan.ports.map(({ name }) => name)).size).toBe(plan.ports.length);
      }),
    );
  });

  test('gives every converter to one device, every pin to one port, every amplifier to one volume and one mute', () => {
    fc.assert(
      fc.property(codecs, (definition) => {
        const { plan } = bringUp(definition);
        const converters = plan.devices.flatMap((device) => device.converters.map(({ nid }) => nid));
        expect(new Set(converters).size).toBe(converters.length);
        const pins = plan.ports.flatMap(({ jacks }) => jacks.map(({ nid }) => nid));
        expect(new Set(pins).size).toBe(pins.length);
        for (const type of ['volume', 'mute'] as const) {
          const amps = plan.nodes.flatMap((node) =>
            node.type === type ? node.channels.filter((amp) => amp !== null) : [],
          );
          const names = amps.map((amp) => JSON.stringify(amp));
          expect(new Set(names).size).toBe(names.length);
        }
        const tags = plan.pins.flatMap(({ unsolicitedTag }) =>
          unsolicitedTag === null ? [] : [unsolicitedTag],
        );
        expect(new Set(tags).size).toBe(tags.length);
      }),
    );
  });

  test('says of each device which ports it reaches, and of each port which devices', () => {
    fc.assert(
      fc.property(codecs, (definition) => {
        const { plan } = bringUp(definition);
        for (const [device, { direction, ports }] of plan.devices.entries()) {
          const reached =
            direction === 'render'
              ? ways(plan, { kind: 'device', device }).map(({ to }) => to)
              : plan.ports.flatMap((_, port): PlanEnd[] => {
                  const tos = ways(plan, { kind: 'port', port }).map(({ to }) => key(to));
                  return tos.includes(`d${device}`) ? [{ kind: 'port', port }] : [];
                });
          expect(new Set(reached.map(key))).toEqual(new Set(ports.map((port) => `p${port}`)));
          for (const port of ports) expect(plan.ports[port]!.devices).toContain(device);
        }
        for (const [port, { devices }] of plan.ports.entries())
          for (const device of devices) expect(plan.devices[device]!.ports).toContain(port);
      }),
    );
  });
});

describe('what is drawn is what is heard', () => {
  test('no verb goes to a node that does not understand it', () => {
    fc.assert(
      fc.property(codecs, (definition) => {
        const { link, codec, plan } = bringUp(definition);
        for (const device of plan.devices.keys())
          codec.routeStream(device, { streamTag: 1 + (device % 15), format: 0x10, channels: 1 });
        for (const jack of plan.ports.flatMap(({ jacks }) => jacks)) codec.readPresence(jack);
        codec.powerDown();
        expect(link.findings).toEqual([]);
      }),
    );
  });

  test('an output jack hears its own converter, no other, and no input to begin with', () => {
    fc.assert(
      fc.property(codecs, (definition) => {
        const { link, plan, router } = bringUp(definition);
        for (const { direction, jacks, devices } of plan.ports) {
          if (direction !== 'render') continue;
          const own = new Set(plan.devices[devices[0]!]!.converters.map(({ nid }) => nid));
          for (const { nid } of jacks) {
            const pin = link.codec.widgets.get(nid)!;
            // The model's digital jacks are wired to their converters; it has no digital selectors.
            const direct = pin.definition.connections?.[pin.connection] ?? 0;
            if (pin.definition.digital && !own.has(direct)) continue;
            const heard = pin.definition.digital
              ? [router.digitalConverter(pin)?.definition.nid]
              : router.outputPin(pin).map(({ source }) => source.definition.nid);
            expect(heard).toHaveLength(1);
            expect(own).toContain(heard[0]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a recorder hears an input to begin with, and each one that is chosen', () => {
    fc.assert(
      fc.property(codecs, (definition) => {
        const { link, codec, plan, router } = bringUp(definition);
        const hears = (device: number): Set<number> => {
          const adc = link.codec.widgets.get(plan.devices[device]!.converters[0]!.nid)!;
          return new Set(router.inputConverter(adc).map(({ source }) => source.definition.nid));
        };
        for (const [device, { direction, jacks }] of plan.devices.entries()) {
          if (direction !== 'capture') continue;
          const first = [...hears(device)];
          expect(first.length).toBeGreaterThan(0);
          for (const nid of first) expect(jacks.map((jack) => jack.nid)).toContain(nid);
        }
        for (const [port, { jacks }] of plan.ports.entries()) {
          for (const way of ways(plan, { kind: 'port', port })) {
            if (way.to.kind !== 'device') continue;
            open(codec, way);
            expect(hears(way.to.device)).toContain(jacks[0]!.nid);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('an input that leads to an output is heard there once its mutes are off', () => {
    let monitored = 0;
    fc.assert(
      fc.property(codecs, (definition) => {
        const { link, codec, plan, router } = bringUp(definition);
        for (const [port, { jacks }] of plan.ports.entries()) {
          for (const way of ways(plan, { kind: 'port', port })) {
            if (way.to.kind !== 'port') continue;
            open(codec, way);
            const pin = link.codec.widgets.get(plan.ports[way.to.port]!.jacks[0]!.nid)!;
            expect(router.outputPin(pin).map(({ source }) => source.definition.nid)).toContain(jacks[0]!.nid);
            monitored++;
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(monitored).toBeGreaterThan(10);
  });

  test('every mute on a way silences it', () => {
    fc.assert(
      fc.property(codecs, (definition) => {
        const { link, codec, plan, router } = bringUp(definition);
        for (const [device, { direction }] of plan.devices.entries()) {
          if (direction !== 'render') continue;
          for (const way of ways(plan, { kind: 'device', device })) {
            const to = way.to.kind === 'port' ? plan.ports[way.to.port]! : null;
            const pin = link.codec.widgets.get(to!.jacks[0]!.nid)!;
            if (pin.definition.digital) continue;
            const dac = router.outputPin(pin)[0]!.source.definition.nid;
            const { firstChannel } = plan.devices[device]!.converters.find(({ nid }) => nid === dac)!;
            for (const id of way.nodes) {
              const node = plan.nodes[id]!;
              if (node.type !== 'mute') continue;
              // A node of the whole set does nothing to a pair that has no amplifier there.
              const pair = node.channels.length > 2 ? firstChannel : 0;
              if (!node.channels[pair]) continue;
              const channels = [...node.channels.keys()].filter((channel) => node.channels[channel]);
              for (const channel of channels) codec.setMute(id, channel, true);
              expect(router.outputPin(pin)).toEqual([]);
              for (const channel of channels) codec.setMute(id, channel, false);
            }
          }
        }
      }),
    );
  });
});
