import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ioGetDeviceInterfaces } from './device-interface.ts';
import { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import { STATUS_UNSUCCESSFUL } from './ntstatus.ts';
import {
  IRP_MN_QUERY_REMOVE_DEVICE,
  IRP_MN_QUERY_STOP_DEVICE,
  IRP_MN_START_DEVICE,
  PowerSystemSleeping3,
  PowerSystemWorking,
} from './pnp-types.ts';
import { UserProcess } from './process.ts';
import { FakeBus, FakeDriver, KSCATEGORY_AUDIO } from './test-driver.ts';
import { TestPlatform } from './test-platform.ts';

/** What a driver may see next, by what it saw last (state-transitions-for-pnp-devices.md). */
const MAY_FOLLOW: Readonly<Record<string, readonly string[]>> = {
  nothing: ['AddDevice'],
  AddDevice: ['START_DEVICE'],
  START_DEVICE: ['QUERY_STOP_DEVICE', 'QUERY_REMOVE_DEVICE', 'SURPRISE_REMOVAL', 'REMOVE_DEVICE'],
  QUERY_STOP_DEVICE: ['STOP_DEVICE', 'CANCEL_STOP_DEVICE', 'SURPRISE_REMOVAL', 'REMOVE_DEVICE'],
  CANCEL_STOP_DEVICE: ['QUERY_STOP_DEVICE', 'QUERY_REMOVE_DEVICE', 'SURPRISE_REMOVAL', 'REMOVE_DEVICE'],
  STOP_DEVICE: ['START_DEVICE', 'SURPRISE_REMOVAL', 'REMOVE_DEVICE'],
  QUERY_REMOVE_DEVICE: ['REMOVE_DEVICE', 'CANCEL_REMOVE_DEVICE', 'SURPRISE_REMOVAL'],
  CANCEL_REMOVE_DEVICE: ['QUERY_STOP_DEVICE', 'QUERY_REMOVE_DEVICE', 'SURPRISE_REMOVAL', 'REMOVE_DEVICE'],
  SURPRISE_REMOVAL: ['REMOVE_DEVICE'],
  REMOVE_DEVICE: ['AddDevice'],
};

const STEPS = [
  'queryStop',
  'cancelStop',
  'stop',
  'start',
  'queryRemove',
  'cancelRemove',
  'queryAndRemove',
  'unplug',
  'plug',
  'open',
  'close',
  'sleep',
  'wake',
  'refuse stop',
  'refuse remove',
  'fail start',
  'behave',
] as const;

describe('a device taken through any sequence of events', () => {
  it('shows its driver legal transitions only, and leaves nothing behind', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 40 }), (steps) => {
        const kernel = new Kernel(new TestPlatform());
        const bus = new FakeBus();
        const driver = new FakeDriver();
        const process = new UserProcess(kernel, 'player');
        const handles: number[] = [];
        kernel.pnp.addBus(bus);
        kernel.pnp.installDriver(driver.package());
        let name = bus.add(5);
        let plugged = true;
        kernel.pnp.start();
        for (const step of steps) {
          const node = kernel.pnp.findDevice(name);
          try {
            if (step === 'plug' && !plugged) {
              name = bus.add(5);
              plugged = true;
              kernel.pnp.reenumerate();
            } else if (step === 'unplug' && plugged) {
              bus.unplug(name);
              plugged = false;
              kernel.pnp.reenumerate();
            } else if (step === 'open') {
              const [link] = kernel.enter(() => ioGetDeviceInterfaces(KSCATEGORY_AUDIO));
              if (link !== undefined) handles.push(process.createFile(link));
            } else if (step === 'close') {
              const handle = handles.pop();
              if (handle !== undefined) process.closeHandle(handle);
            } else if (step === 'sleep') kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
            else if (step === 'wake') kernel.pnp.setSystemPowerState(PowerSystemWorking);
            else if (step === 'refuse stop') driver.refuse.set(IRP_MN_QUERY_STOP_DEVICE, STATUS_UNSUCCESSFUL);
            else if (step === 'refuse remove')
              driver.refuse.set(IRP_MN_QUERY_REMOVE_DEVICE, STATUS_UNSUCCESSFUL);
            else if (step === 'fail start') driver.refuse.set(IRP_MN_START_DEVICE, STATUS_UNSUCCESSFUL);
            else if (step === 'behave') driver.refuse.clear();
            else if (node !== null) {
              if (step === 'queryStop') kernel.pnp.queryStop(node);
              else if (step === 'cancelStop') kernel.pnp.cancelStop(node);
              else if (step === 'stop') kernel.pnp.stop(node);
              else if (step === 'start') kernel.pnp.startDevice(node);
              else if (step === 'queryRemove') kernel.pnp.queryRemove(node);
              else if (step === 'cancelRemove') kernel.pnp.cancelRemove(node);
              else if (step === 'queryAndRemove') kernel.pnp.queryAndRemove(node);
            }
          } catch (error) {
            // Requests in the wrong state, and starts that fail, are answered with a status.
            if (!(error instanceof NtError)) throw error;
          }
          kernel.runFor(0);
          const state = kernel.pnp.findDevice(name)?.state;
          const visible = kernel.enter(() => ioGetDeviceInterfaces(KSCATEGORY_AUDIO));
          if (state !== 'DeviceNodeStarted' && visible.length > 0) {
            expect(['DeviceNodeQueryStopped', 'DeviceNodeStopped', 'DeviceNodeQueryRemoved']).toContain(
              state,
            );
          }
        }
        process.terminate();
        kernel.runFor(0);
        kernel.pnp.removeAll();
        kernel.runFor(0);
        expect(kernel.leakReport().leaks).toEqual([]);
        expect(kernel.trace.findings).toEqual([]);
        expect(bus.log.length).toBeGreaterThan(0);

        for (const transitions of driver.transitions.values()) {
          let last = 'nothing';
          for (const seen of transitions) {
            expect(MAY_FOLLOW[last], `${seen} after ${last}`).toContain(seen);
            last = seen;
          }
          expect(last).toBe('REMOVE_DEVICE');
        }
      }),
      { numRuns: 300 },
    );
  });
});
