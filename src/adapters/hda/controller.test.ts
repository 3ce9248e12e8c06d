import { describe, expect, it } from 'vitest';
import { ioGetDmaAdapter } from '../../hal/index.ts';
import { MemorySink } from '../../hardware/analog.ts';
import { HdaCard, type HdaCardOptions } from '../../hardware/hda/index.ts';
import { type DriverPackage, NtError, ntStatusName } from '../../kernel/index.ts';
import { SimMachine } from '../../machines/sim/index.ts';
import {
  pcAddAdapterDevice,
  pcGetPhysicalDeviceObject,
  pcInitializeAdapterDriver,
} from '../../portcls/index.ts';
import type { UnsolicitedResponse } from './command-link.ts';
import { HdaController } from './controller.ts';

const GET_PARAMETER = 0xf00;
const VENDOR_ID = 0x00;
const SET_UNSOLICITED = 0x708;
const SET_POWER = 0x705;
const GET_AMP = 0xb;
const SET_AMP = 0x3;

/** A machine with the card, and a driver that does nothing but bring the controller up. */
function rig(options: HdaCardOptions = {}) {
  const machine = new SimMachine();
  const card = new HdaCard({ codecs: [{ name: 'desktop' }, { name: 'hdmi' }], ...options });
  const slot = machine.plugPci(card);
  const heard: UnsolicitedResponse[] = [];
  let controller: HdaController | null = null;
  const driver: DriverPackage = {
    name: 'hda-controller-only',
    description: 'brings the controller up',
    hardwareIds: ['PCI\\VEN_8086&DEV_2668', 'PCI\\VEN_8086&DEV_293E'],
    driverEntry: (driverObject, registryPath) => {
      pcInitializeAdapterDriver(driverObject, registryPath, (object, physicalDeviceObject) => {
        pcAddAdapterDevice(
          object,
          physicalDeviceObject,
          (deviceObject, _irp, resources) => {
            const pdo = pcGetPhysicalDeviceObject(deviceObject);
            controller = new HdaController(resources, (description) => ioGetDmaAdapter(pdo, description));
            controller.powerUp();
            controller.connectInterrupt(resources);
            controller.onUnsolicited = (response) => heard.push(response);
          },
          1,
          0,
        );
      });
    },
  };
  machine.installDriver(driver);
  machine.start();
  const started = (): HdaController => {
    if (!controller) throw new Error('the driver has not started');
    return controller;
  };
  const command = (codec: number, nid: number, verb: number, payload: number) =>
    machine.kernel.enter(() => started().link.command(codec, nid, verb, payload));
  return { machine, card, slot, heard, command, controller: started };
}

function statusOf(action: () => unknown): string {
  try {
    action();
    return 'success';
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
}

describe('the controller', () => {
  it.each(['ich6', 'ich9'] as const)('finds the codecs of an %s and speaks with each', (variant) => {
    const { machine, command, controller } = rig({ variant });
    expect(controller().codecAddresses).toEqual([0, 1]);
    expect(command(0, 0, GET_PARAMETER, VENDOR_ID)).toBe(0x4d50_0880);
    expect(command(1, 0, GET_PARAMETER, VENDOR_ID)).toBe(0x4d50_0d10);
    expect(machine.trace.findings).toEqual([]);
    machine.kernel.enter(() => controller().close());
    machine.dispose();
  });

  it('tells 4-bit verbs with 16 bits of payload from 12-bit verbs with 8', () => {
    const { machine, command } = rig();
    command(0, 1, SET_POWER, 0);
    command(0, 0x02, SET_AMP, 0xb000 | 17);
    expect(command(0, 0x02, GET_AMP, 0xa000)).toBe(17);
    expect(machine.trace.findings).toEqual([]);
  });

  it('goes round its rings as often as it is asked', () => {
    const { machine, command } = rig();
    for (let round = 0; round < 700; round++)
      expect(command(round & 1, 0, GET_PARAMETER, VENDOR_ID)).toBe(round & 1 ? 0x4d50_0d10 : 0x4d50_0880);
    expect(machine.trace.findings).toEqual([]);
  });

  it('does not wait for ever for a codec that is not there', () => {
    const { machine, command } = rig();
    expect(statusOf(() => command(2, 0, GET_PARAMETER, VENDOR_ID))).toBe('STATUS_IO_TIMEOUT');
    expect(command(0, 0, GET_PARAMETER, VENDOR_ID)).toBe(0x4d50_0880);
    machine.dispose();
  });

  it('speaks through the immediate registers just as well', () => {
    const { machine, command, controller } = rig();
    machine.kernel.enter(() => controller().link.useImmediateCommands());
    expect(command(0, 0, GET_PARAMETER, VENDOR_ID)).toBe(0x4d50_0880);
    expect(command(1, 0, GET_PARAMETER, VENDOR_ID)).toBe(0x4d50_0d10);
    expect(statusOf(() => command(2, 0, GET_PARAMETER, VENDOR_ID))).toBe('STATUS_IO_TIMEOUT');
    expect(command(0, 0, GET_PARAMETER, VENDOR_ID)).toBe(0x4d50_0880);
  });

  it('takes to the immediate registers by itself when its rings carry nothing', () => {
    const { machine, slot, command, controller } = rig();
    const { platform } = machine;
    for (const { start, length } of platform.dma.rangesOf(slot)) platform.unmapDma(slot, start, length);
    machine.kernel.enter(() => {
      controller().powerDown();
      controller().powerUp();
    });
    expect(controller().link.immediate).toBe(true);
    expect(command(1, 0, GET_PARAMETER, VENDOR_ID)).toBe(0x4d50_0d10);
  });

  it('hears what codecs say unasked, also in the middle of commands', () => {
    const { machine, card, heard, command } = rig();
    command(0, 1, SET_POWER, 0);
    command(0, 0x14, SET_UNSOLICITED, 0x80 | 0x15);
    command(1, 3, SET_UNSOLICITED, 0x80 | 0x07);
    card.plug(0, 0x14, { sink: new MemorySink() });
    for (let round = 0; round < 5; round++) command(0, 0, GET_PARAMETER, VENDOR_ID);
    card.unplug(0, 0x14);
    card.plug(1, 3, { sink: new MemorySink() });
    machine.runFor(10_000);
    const tags = heard.map(({ codecAddress, response }) => `${codecAddress}:${response >>> 26}`);
    expect(tags.sort()).toEqual(['0:21', '0:21', '1:7']);
    expect(machine.trace.findings).toEqual([]);
  });

  it('gives each direction its streams, and no more of them than there are', () => {
    const { machine, controller } = rig();
    machine.kernel.enter(() => {
      for (const direction of ['input', 'output'] as const) {
        const taken = Array.from({ length: 4 }, () => controller().allocateDescriptor(direction));
        expect(taken.map(({ streamNumber }) => streamNumber)).toEqual([1, 2, 3, 4]);
        expect(statusOf(() => controller().allocateDescriptor(direction))).toBe(
          'STATUS_INSUFFICIENT_RESOURCES',
        );
        for (const one of taken) one.reset();
        controller().freeDescriptor(taken[2] as (typeof taken)[number]);
        expect(controller().allocateDescriptor(direction).streamNumber).toBe(3);
      }
      expect(controller().keepsPosition).toBe(true);
    });
    expect(machine.trace.findings).toEqual([]);
  });

  it('knows at once that the card is gone', () => {
    const { machine, slot, command, controller } = rig();
    const link = controller().link;
    machine.unplug(slot);
    const before = machine.kernel.clock.now;
    expect(statusOf(() => machine.kernel.enter(() => link.command(0, 0, GET_PARAMETER, VENDOR_ID)))).toBe(
      'STATUS_DEVICE_NOT_CONNECTED',
    );
    expect(machine.kernel.clock.now - before).toBeLessThan(10_000);
    expect(statusOf(() => command(1, 0, GET_PARAMETER, VENDOR_ID))).toBe('STATUS_DEVICE_NOT_CONNECTED');
  });

  it('loses everything when it sleeps, and is as new when it wakes', () => {
    const { machine, command, controller } = rig();
    machine.kernel.enter(() => controller().powerDown());
    expect(statusOf(() => command(0, 0, GET_PARAMETER, VENDOR_ID))).toBe('STATUS_DEVICE_NOT_READY');
    machine.kernel.enter(() => controller().powerUp());
    expect(command(0, 0, GET_PARAMETER, VENDOR_ID)).toBe(0x4d50_0880);
    expect(machine.trace.findings).toEqual([]);
  });
});
