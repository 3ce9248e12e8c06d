import { describe, expect, it } from 'vitest';
import { IsaDriver } from '../../test/support/isa-driver.ts';
import { Sb16Card, sb16PnpDescription } from '../hardware/sb16/index.ts';
import { SimMachine } from '../machines/sim/index.ts';
import { isapnpChecksum, isapnpIdBytes, isapnpIdText, isapnpInitiationKey } from './isapnp-registers.ts';
import { decodeIsaPnpResources, encodeIsaPnpResources } from './isapnp-resources.ts';

function boot(...cards: readonly Sb16Card[]) {
  const machine = new SimMachine({ ramBytes: 4 << 20 });
  const slots = cards.map((card) => machine.plugIsa(card));
  const audio = new IsaDriver(['*CTL0031'], {}, 'audio');
  const game = new IsaDriver(['*PNPB02F'], {}, 'game');
  machine.installDriver(audio.package);
  machine.installDriver(game.package);
  machine.start();
  return { machine, slots, audio, game };
}

const brief = (device: IsaDriver['device']) =>
  device.rawResources.map((resource) => {
    switch (resource.type) {
      case 'Port':
        return `${resource.start.toString(16)}+${resource.length}`;
      case 'Interrupt':
        return `irq${resource.level}`;
      case 'Dma':
        return `dma${resource.channel}`;
      default:
        return resource.type;
    }
  });

describe('the protocol', () => {
  it('has the key and the checksum of the specification', () => {
    const key = isapnpInitiationKey();
    expect(key.slice(0, 8)).toEqual([0x6a, 0xb5, 0xda, 0xed, 0xf6, 0xfb, 0x7d, 0xbe]);
    expect(key.at(-1)).toBe(0x39);
    // A Sound Blaster 16's own identifier and checksum, from a list of such cards' readings.
    expect(isapnpIdText([0x0e, 0x8c, 0x00, 0x28])).toBe('CTL0028');
    expect(isapnpIdBytes('CTL0028')).toEqual([0x0e, 0x8c, 0x00, 0x28]);
    expect(isapnpChecksum([0x0e, 0x8c, 0x00, 0xe4, 0xd6, 0xe3, 0x1b, 0x00])).toBe(0x48);
  });

  it('reads resource data back as they were described', () => {
    const description = sb16PnpDescription(7);
    const bytes = encodeIsaPnpResources(description);
    expect(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
    let at = 0;
    const decoded = decodeIsaPnpResources(() => bytes[at++] ?? 0xff);
    expect(decoded).toEqual({ name: description.name, devices: description.devices, checksumGood: true });
    expect(at).toBe(bytes.length);
    expect(decodeIsaPnpResources(() => 0xff)).toBeNull();
  });
});

describe('ISA Plug and Play cards', () => {
  it('are found, and each logical device gets a driver with its ids and resources', () => {
    const { machine, audio, game } = boot(new Sb16Card({ serialNumber: 0x1234 }));
    const [node, gameNode] = machine.kernel.pnp.devices;
    expect(node?.hardwareIds).toEqual(['ISAPNP\\CTL0028_DEV0000', 'ISAPNP\\CTL0031', '*CTL0031']);
    expect(node?.compatibleIds).toEqual(['*CTL0031', '*PNPB003']);
    expect(node?.instancePath).toBe('ISAPNP\\CTL0028_DEV0000\\00001234');
    expect(gameNode?.hardwareIds).toContain('*CTL7001');
    expect(brief(audio.device)).toEqual(['irq5', 'dma1', 'dma5', '220+16', '330+2', '388+4']);
    expect(brief(game.device)).toEqual(['200+8']);
    const translated = audio.device.resources[0];
    expect(translated).toMatchObject({ type: 'Interrupt', flags: 1, level: 9, vector: 0x90 });
    expect(machine.kernel.pnp.problems).toEqual([]);
    expect(machine.trace.findings).toEqual([]);
    expect(machine.dispose().leaks).toEqual([]);
    expect(audio.events).toEqual(['start', 'remove']);
  });

  it('answer where they were told, and nowhere once they are stopped', () => {
    const card = new Sb16Card();
    const { machine } = boot(card);
    const { platform, kernel } = machine;
    expect(card.configuration).toEqual({
      base: 0x220,
      mpuBase: 0x330,
      fmBase: 0x388,
      irq: 5,
      dma8: 1,
      dma16: 5,
      gameBase: 0x200,
    });
    platform.writePort(0x224, 1, 0x30);
    expect(platform.readPort(0x225, 1)).toBe(0xc0);
    // Ten address lines: again at every multiple of 400h.
    expect(platform.readPort(0x625, 1)).toBe(0xc0);
    platform.writePort(0x224, 1, 0x80);
    expect(platform.readPort(0x225, 1)).toBe(0x02);
    platform.writePort(0x224, 1, 0x81);
    expect(platform.readPort(0x225, 1)).toBe(0x22);
    const [node] = kernel.pnp.devices;
    if (!node) throw new Error('There is no device.');
    kernel.enter(() => {
      expect(kernel.pnp.queryStop(node).accepted).toBe(true);
      kernel.pnp.stop(node);
    });
    expect(card.configuration.base).toBeNull();
    expect(platform.readPort(0x225, 1)).toBe(0xff);
    kernel.enter(() => kernel.pnp.startDevice(node));
    expect(card.configuration.base).toBe(0x220);
    machine.dispose();
  });

  it('share the bus without conflicts, and say so when nothing is left', () => {
    const cards = [1, 2, 3, 4].map((serialNumber) => new Sb16Card({ serialNumber }));
    const { machine, audio } = boot(...cards);
    expect(audio.devices.map(brief)).toEqual([
      ['irq5', 'dma1', 'dma5', '220+16', '330+2', '388+4'],
      ['irq7', 'dma0', 'dma6', '240+16', '300+2'],
      ['irq9', 'dma3', 'dma7', '260+16'],
    ]);
    // Three 8-bit channels and two game ports are all there are.
    expect(machine.kernel.pnp.problems.map(({ problem }) => problem.name)).toEqual([
      'CM_PROB_NORMAL_CONFLICT',
      'CM_PROB_NORMAL_CONFLICT',
      'CM_PROB_NORMAL_CONFLICT',
    ]);
    machine.dispose();
  });

  it('are told apart when identifier and serial number are alike up to the last bit', () => {
    const { machine, game } = boot(
      new Sb16Card({ serialNumber: 0 }),
      new Sb16Card({ serialNumber: 0x8000_0000 }),
      new Sb16Card({ serialNumber: 1 }),
    );
    expect(machine.isaBus.cards.map(({ serialNumber }) => serialNumber).sort((a, b) => a - b)).toEqual([
      0, 1, 0x8000_0000,
    ]);
    expect(game.devices.map(brief)).toEqual([['200+8'], ['208+8']]);
    machine.dispose();
  });

  it('may come and go while the machine runs', () => {
    const { machine, audio, slots } = boot(new Sb16Card({ serialNumber: 1 }));
    machine.unplug(slots[0]!);
    expect(audio.events).toEqual(['start', 'surprise removal', 'remove']);
    expect(machine.platform.readPort(0x225, 1)).toBe(0xff);
    machine.plugIsa(new Sb16Card({ serialNumber: 2 }));
    expect(audio.events.at(-1)).toBe('start');
    expect(brief(audio.device)).toEqual(['irq5', 'dma1', 'dma5', '220+16', '330+2', '388+4']);
    expect(machine.trace.findings).toEqual([]);
    expect(machine.dispose().leaks).toEqual([]);
  });
});

describe('cards without Plug and Play', () => {
  it('are reported as they are described, and their resources are given to nobody else', () => {
    const machine = new SimMachine({
      ramBytes: 4 << 20,
      isa: {
        legacyDevices: [
          {
            busDevice: 'isa:sb16',
            hardwareIds: ['*PNPB003'],
            description: 'Sound Blaster 16',
            resources: [
              { type: 'Port', start: 0x220, length: 16 },
              { type: 'Interrupt', line: 5 },
              { type: 'Dma', channel: 1 },
              { type: 'Dma', channel: 5 },
            ],
          },
        ],
      },
    });
    machine.plugIsa(new Sb16Card({ jumpers: { mpuBase: null } }));
    const driver = new IsaDriver(['*PNPB003']);
    machine.installDriver(driver.package);
    machine.start();
    expect(brief(driver.device)).toEqual(['220+16', 'irq5', 'dma1', 'dma5']);
    expect(machine.kernel.pnp.problems).toEqual([]);
    machine.dispose();
  });
});
