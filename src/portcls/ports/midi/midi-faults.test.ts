import { describe, expect, it } from 'vitest';
import { GUID_NULL, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import {
  type Bugcheck,
  BugcheckError,
  NtError,
  STATUS_DEVICE_DOES_NOT_EXIST,
  STATUS_INSUFFICIENT_RESOURCES,
} from '../../../kernel/index.ts';
import { KSCATEGORY_CAPTURE, KSCATEGORY_RENDER, KSCATEGORY_SYNTHESIZER } from '../../../ks/index.ts';
import { IID_IPortEvents, IID_IServiceGroup } from '../../ddi/index.ts';
import { CAPTURE_PIN, IID_IPortMidi, MidiMachine, type MidiScript, note, RENDER_PIN } from './test-driver.ts';

const broken = () => {
  throw new Error('a defect of the driver');
};

/** Runs what must stop the machine. */
function bugcheckOf(script: MidiScript, act: (m: MidiMachine) => void): Bugcheck {
  let m: MidiMachine | null = null;
  try {
    m = new MidiMachine(script);
    act(m);
    m.pass(5);
  } catch (error) {
    if (error instanceof BugcheckError) return error.bugcheck;
    throw error;
  } finally {
    m?.[Symbol.dispose]();
  }
  throw new Error('No bugcheck came.');
}

describe('a driver that throws is named', () => {
  it.each<[string, MidiScript, (m: MidiMachine) => void]>([
    ['IMiniportMidi::Init', { init: broken }, () => {}],
    ['IMiniportMidi::NewStream', { newStream: broken }, (m) => m.open(RENDER_PIN)],
    ['IMiniportMidi::Service', { service: broken }, (m) => m.kernel.enter(() => m.midi.receive(1))],
    ['IMiniportMidiStream::SetState', { setState: broken }, (m) => m.running(RENDER_PIN)],
    [
      'IMiniportMidiStream::Write',
      { write: broken },
      (m) => m.write(m.running(RENDER_PIN), 0, [{ timeDeltaMs: 0, bytes: note(60) }]),
    ],
    [
      'IMiniportMidiStream::Read',
      { read: broken },
      (m) => {
        m.running(CAPTURE_PIN);
        m.kernel.enter(() => m.midi.receive(1));
      },
    ],
  ])('in %s', (method, script, act) => {
    const bugcheck = bugcheckOf(script, act);
    expect(bugcheck.driver).toBe('fake');
    expect(bugcheck.method).toBe(method);
    expect(bugcheck.text).toContain('a defect of the driver');
  });

  it('a status is no defect: the start fails, and nothing is left', () => {
    expect(
      () =>
        new MidiMachine({
          init: () => {
            throw new NtError(STATUS_DEVICE_DOES_NOT_EXIST);
          },
        }),
    ).toThrow("no interface 'Midi'");
  });

  it('a stream that is refused leaves nothing', () => {
    const m = new MidiMachine({
      newStream: () => {
        throw new NtError(STATUS_INSUFFICIENT_RESOURCES);
      },
    });
    expect(() => m.open(RENDER_PIN)).toThrow(NtError);
    expect(m.end()).toEqual([]);
    m[Symbol.dispose]();
  });
});

describe('the port', () => {
  it('has its interfaces and its categories', () => {
    const m = new MidiMachine();
    m.kernel.enter(() => {
      const { port } = m.midi;
      if (port === null) throw new Error('no port');
      for (const iid of [IID_IPortMidi, IID_IPortEvents] as const) {
        expect(tryQueryInterface<IUnknown>(port, iid)?.release()).toBeGreaterThan(0);
      }
      expect(tryQueryInterface(port, IID_IServiceGroup)).toBeNull();
    });
    for (const category of [KSCATEGORY_RENDER, KSCATEGORY_CAPTURE, KSCATEGORY_SYNTHESIZER])
      expect(m.link('Midi', category)).toContain('Midi');
    expect(() => m.link('Midi', GUID_NULL)).toThrow();
    expect(m.end()).toEqual([]);
    expect(m.midi.calls.at(-1)).toBe('destroyed');
    m[Symbol.dispose]();
  });

  it.each([{ noGroup: true }, { streamGroups: true }, { earlyGroup: true }])(
    'renders and lets go of everything with service groups as in %o',
    (script) => {
      const m = new MidiMachine(script);
      const pins = [m.running(RENDER_PIN), m.running(RENDER_PIN), m.running(CAPTURE_PIN)];
      const sent = pins.slice(0, 2).map((pin) => m.write(pin, 1, [{ timeDeltaMs: 0, bytes: note(60) }]));
      m.kernel.enter(() => m.midi.port?.notify(null));
      m.pass(3);
      expect(sent.map(({ status }) => status)).toEqual([0, 0]);
      expect(m.midi.written).toHaveLength(2);
      expect(m.end()).toEqual([]);
      m[Symbol.dispose]();
    },
  );

  it('takes a group that is registered again, or another one', () => {
    const m = new MidiMachine();
    m.kernel.enter(() => {
      const { port, group } = m.midi;
      if (port === null || group === null) throw new Error('no port');
      port.registerServiceGroup(group);
      expect(m.midi.calls.filter((call) => call === 'Service')).toHaveLength(0);
      port.notify(group);
    });
    m.pass(0);
    expect(m.midi.calls.filter((call) => call === 'Service')).toHaveLength(1);
    expect(m.end()).toEqual([]);
    m[Symbol.dispose]();
  });
});
