import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioFormat, MemoryPcmReader } from '../src/client/index.ts';
import { encodeProperty } from '../src/client/requests/ks-object.ts';
import { MemorySink } from '../src/hardware/analog.ts';
import { ntStatusName, PowerSystemSleeping3, PowerSystemWorking } from '../src/kernel/index.ts';
import {
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  KSEVENT_PINCAPS_JACKINFOCHANGE,
  KSEVENT_TYPE_ENABLE,
  KSEVENTDATA,
  KSEVENTF_EVENT_HANDLE,
  KSEVENTSETID_PinCapsChange,
  KSJACK_SINK_INFORMATION,
  KSPROPERTY_JACK_SINK_INFO,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Jack,
} from '../src/ks/index.ts';
import { bytesOf, noise } from './support/ac97-bench.ts';
import { Desktop, HdaBench } from './support/hda-bench.ts';

/** Waits for changes of the jacks behind a topology pin. */
function watch(bench: HdaBench, filterName: string, pin: number) {
  const { process } = bench;
  const filter = bench.openFilter(filterName);
  const event = process.createEvent('SynchronizationEvent');
  const data = KSEVENTDATA.encode({ notificationType: KSEVENTF_EVENT_HANDLE, handle: event, adjustment: 0 });
  // KSE_PIN begins as KSP_PIN does.
  const request = encodeProperty(
    KSEVENTSETID_PinCapsChange,
    KSEVENT_PINCAPS_JACKINFOCHANGE,
    KSEVENT_TYPE_ENABLE,
    [pin, 0],
  );
  const { status } = process.deviceIoControl(filter.handle, IOCTL_KS_ENABLE_EVENT, request, data);
  return {
    status: ntStatusName(status),
    fired: (): boolean => {
      const signaled = process.isSignaled(event);
      if (signaled) process.resetEvent(event);
      return signaled;
    },
    close: (): void => {
      process.deviceIoControl(filter.handle, IOCTL_KS_DISABLE_EVENT, data, null);
      filter.close();
    },
  };
}

/** The pin of the topology filter that an endpoint's jacks are behind. */
function jackPin(bench: HdaBench, name: string): number {
  const found = bench.audio.endpoints({ all: true }).find((endpoint) => endpoint.name === name);
  if (!found) throw new Error(`no endpoint ${name}`);
  return found.route.bridgePin.id;
}

const stateOf = (bench: HdaBench, name: string) =>
  bench.audio.endpoints({ all: true }).find((endpoint) => endpoint.name === name)?.state;

describe('jacks', () => {
  it('are told of when something is plugged or pulled, each pin of its own', () => {
    using bench = new HdaBench();
    const headphones = watch(bench, 'Topology', jackPin(bench, 'Headphones'));
    const speakers = watch(bench, 'Topology', jackPin(bench, 'Speakers'));
    expect([headphones.status, speakers.status]).toEqual(['STATUS_SUCCESS', 'STATUS_SUCCESS']);
    expect(stateOf(bench, 'Headphones')).toBe('active');
    bench.card.unplug(0, Desktop.headphone);
    bench.pass(1);
    expect([headphones.fired(), speakers.fired()]).toEqual([true, false]);
    expect(stateOf(bench, 'Headphones')).toBe('unplugged');
    bench.card.plug(0, Desktop.headphone, { sink: new MemorySink() });
    bench.pass(1);
    expect([headphones.fired(), speakers.fired()]).toEqual([true, false]);
    expect(stateOf(bench, 'Headphones')).toBe('active');
    // Any of a set's four jacks is news of the set; the last one that is pulled makes it unplugged.
    const set = [Desktop.front, Desktop.surround, Desktop.centre, Desktop.side];
    for (const [index, pin] of set.entries()) {
      bench.card.unplug(0, pin);
      bench.pass(1);
      expect([headphones.fired(), speakers.fired()]).toEqual([false, true]);
      expect(stateOf(bench, 'Speakers')).toBe(index === set.length - 1 ? 'unplugged' : 'active');
    }
    headphones.close();
    speakers.close();
    bench.card.plug(0, Desktop.headphone, {});
    bench.pass(1);
    expect(headphones.fired()).toBe(false);
    expect(bench.findings).toEqual([]);
  });

  it('cannot be waited for where there are none', () => {
    using bench = new HdaBench();
    // Pin 0 is wired to the wave filter; pin 99 does not exist.
    for (const pin of [0, 99]) {
      const bad = watch(bench, 'Topology', pin);
      expect(bad.status).not.toBe('STATUS_SUCCESS');
      bad.close();
    }
  });

  it('are described: place, colour, speakers, and what is plugged in', () => {
    using bench = new HdaBench();
    const jacksOf = (pin: string) =>
      bench.audio
        .inspect()
        .flatMap(({ pins }) => pins)
        .find(({ name }) => name === pin)?.jacks;
    const rear = { connection: '3.5 mm jack', place: 'rear', enclosure: 'primary box', port: 'jack' };
    expect(jacksOf('Speakers')).toMatchObject([
      { ...rear, channelMapping: 0x3, color: '#b6ff00', connected: true },
      { ...rear, channelMapping: 0xc, color: '#ffa500', connected: true },
      { ...rear, channelMapping: 0x30, color: null, connected: true },
      { ...rear, channelMapping: 0x600, color: '#808080', connected: true },
    ]);
    expect(jacksOf('Line In')).toMatchObject([
      { ...rear, channelMapping: 0, color: '#008cff', connected: false },
    ]);
    expect(jacksOf('Internal Speakers')).toMatchObject([{ port: 'integrated device', connected: true }]);
  });

  it('may be pulled and plugged while they play: the stream runs on, and is heard again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('timer', 'event', 'packet'),
        (times, mode) => {
          using bench = new HdaBench();
          const samples = noise(2 * 48_000, 8);
          const stream = bench.audio.openRender(bench.audio.endpoint('render', 'Headphones'), {
            source: new MemoryPcmReader(audioFormat(), bytesOf(samples)),
            mode,
            bufferMs: 20,
          });
          const watcher = watch(bench, 'Topology', jackPin(bench, 'Headphones'));
          stream.start();
          const { headphone } = Desktop;
          let plugged = true;
          for (const milliseconds of times) {
            bench.pass(milliseconds);
            if (plugged) bench.card.unplug(0, headphone);
            else bench.card.plug(0, headphone, { sink: bench.sink(headphone) });
            plugged = !plugged;
            bench.pass(0.2);
            expect(watcher.fired()).toBe(true);
          }
          if (!plugged) bench.card.plug(0, headphone, { sink: bench.sink(headphone) });
          expect(bench.run(() => stream.ended)).toBe(true);
          expect(stream.error).toBe(null);
          expect(stream.statistics().glitches).toBe(0);
          // Its end is heard, whatever was missed before.
          const heard = bench.heard(headphone).filter((sample) => sample !== 0);
          const tail = heard.subarray(heard.length - 1000);
          expect(tail.findIndex((sample, index) => sample !== samples[samples.length - 1000 + index])).toBe(
            -1,
          );
          watcher.close();
          stream.close();
          expect(bench.findings).toEqual([]);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('are looked at again after sleep, when nobody told what happened', () => {
    using bench = new HdaBench();
    const headphones = watch(bench, 'Topology', jackPin(bench, 'Headphones'));
    const lineIn = watch(bench, 'Topology', jackPin(bench, 'Line In'));
    bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(PowerSystemSleeping3));
    bench.card.unplug(0, Desktop.headphone);
    bench.pass(100);
    bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(PowerSystemWorking));
    expect([headphones.fired(), lineIn.fired()]).toEqual([true, false]);
    expect(stateOf(bench, 'Headphones')).toBe('unplugged');
    headphones.close();
    lineIn.close();
  });

  it('of a display say what it is', () => {
    using bench = new HdaBench({ codecs: ['hdmi'] });
    const pin = jackPin(bench, 'HDMI');
    const ask = () => {
      const filter = bench.openFilter('Topology');
      const answer = new Uint8Array(KSJACK_SINK_INFORMATION.size);
      const request = encodeProperty(KSPROPSETID_Jack, KSPROPERTY_JACK_SINK_INFO, KSPROPERTY_TYPE_GET, [
        pin,
        0,
      ]);
      const { status } = filter.tryControl(request, answer);
      filter.close();
      return status === 0 ? KSJACK_SINK_INFORMATION.decode(answer) : ntStatusName(status);
    };
    const found = ask();
    if (typeof found === 'string') throw new Error(found);
    expect(found.connType).toBe(0);
    expect(found.sinkDescription.length).toBe(found.sinkDescriptionLength);
    expect(found.sinkDescription).not.toBe('');
    const watcher = watch(bench, 'Topology', pin);
    bench.card.unplug(0, 3);
    bench.pass(1);
    expect(watcher.fired()).toBe(true);
    expect(ask()).toBe('STATUS_NOT_SUPPORTED');
    expect(stateOf(bench, 'HDMI')).toBe('unplugged');
    watcher.close();
    expect(bench.findings).toEqual([]);
  });
});
