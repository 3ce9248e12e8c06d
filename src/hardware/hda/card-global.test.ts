import { describe, expect, test } from 'vitest';
import { HdaCard } from './card.ts';
import { MMC, MMD, MMLA, PCS } from './config-extras.ts';
import * as R from './registers.ts';
import { HdaRig, POSITION_ADDRESS } from './test-rig.ts';

describe('the function', () => {
  test('ich6 is 8086:2668, ich9 is 8086:293E, both 0403 with one 16 KiB memory window and INTA#', () => {
    for (const [variant, deviceId] of [
      ['ich6', 0x2668],
      ['ich9', 0x293e],
    ] as const) {
      const card = new HdaCard({ variant });
      expect(card.vendorId).toBe(0x8086);
      expect(card.deviceId).toBe(deviceId);
      expect(card.classCode).toBe(0x04_03_00);
      expect(card.interruptPin).toBe(1);
      expect(card.bars.map((bar) => bar && [bar.kind, bar.size])).toEqual([['memory64', 0x4000], null]);
    }
  });

  test('more codecs than the link has inputs, unknown codecs and jacks at no pin are refused with a reason', () => {
    const four = Array.from({ length: 4 }, () => ({ name: 'qemu-output' as const }));
    expect(() => new HdaCard({ codecs: four })).toThrow(/room for 3/);
    expect(() => new HdaCard({ variant: 'ich9', codecs: four })).not.toThrow();
    expect(() => new HdaCard({ codecs: [{}] })).toThrow(/name one of desktop/);
    expect(() => new HdaCard({ codecs: [{ name: 'qemu-output', jacks: { 2: {} } }] })).toThrow(
      /node 02h is not a pin; pins are 03h Output/,
    );
  });
});

describe('global registers (§3.3)', () => {
  test('read as the specification has them', () => {
    const { mmio } = new HdaRig().bringUp();
    expect(mmio.read16(R.GCAP)).toBe(0x4401);
    expect(mmio.read8(R.VMIN)).toBe(0);
    expect(mmio.read8(R.VMAJ)).toBe(1);
    expect(mmio.read16(R.OUTPAY)).toBe(0x3c);
    expect(mmio.read16(R.INPAY)).toBe(0x1d);
    expect(mmio.read32(R.GCAP)).toBe(0x0100_4401);
    expect(mmio.read8(R.CORBSIZE)).toBe(0x42);
    expect(mmio.read8(R.RIRBSIZE)).toBe(0x42);
  });

  test('CRST reads 0 until the link runs, then 1, and again after a while 0', () => {
    const { mmio, slot } = new HdaRig();
    expect(mmio.read32(R.GCTL)).toBe(0);
    mmio.write32(R.GCTL, R.GCTL_CRST);
    expect(mmio.read32(R.GCTL)).toBe(0);
    slot.clock.advance(99);
    expect(mmio.read32(R.GCTL)).toBe(0);
    slot.clock.advance(1);
    expect(mmio.read32(R.GCTL)).toBe(1);
    mmio.write32(R.GCTL, 0);
    expect(mmio.read32(R.GCTL)).toBe(1);
    slot.clock.advance(100);
    expect(mmio.read32(R.GCTL)).toBe(0);
    expect(slot.findings).toEqual([]);
  });

  test('codecs announce themselves within 521 µs of CRST, and with WAKEEN interrupt', () => {
    const rig = new HdaRig({ codecs: [{ name: 'qemu-output' }, { name: 'hdmi' }] });
    const { mmio, slot } = rig;
    mmio.write16(R.WAKEEN, 0xffff);
    expect(mmio.read16(R.WAKEEN)).toBe(0x0007);
    mmio.write32(R.GCTL, R.GCTL_CRST);
    slot.clock.advance(100);
    mmio.write32(R.INTCTL, (R.INT_GLOBAL | R.INT_CONTROLLER) >>> 0);
    expect(mmio.read16(R.STATESTS)).toBe(0);
    slot.clock.advance(2499);
    expect(mmio.read16(R.STATESTS)).toBe(0);
    expect(slot.asserted).toBe(false);
    slot.clock.advance(1);
    expect(slot.asserted).toBe(true);
    expect(mmio.read16(R.STATESTS)).toBe(3);
    expect(mmio.read32(R.INTSTS)).toBe((R.INT_GLOBAL | R.INT_CONTROLLER) >>> 0);
    mmio.write16(R.STATESTS, 1);
    expect(slot.asserted).toBe(true);
    mmio.write16(R.STATESTS, 2);
    expect(slot.asserted).toBe(false);
    expect(mmio.read16(R.STATESTS)).toBe(0);
  });

  test('while CRST is 0 registers have their defaults and take no writes', () => {
    const { mmio, slot } = new HdaRig();
    mmio.write32(R.INTCTL, 0xffff_ffff);
    mmio.write32(0x80 + R.SD_CBL, 0x1000);
    expect(mmio.read32(R.INTCTL)).toBe(0);
    expect(mmio.read32(0x80 + R.SD_CBL)).toBe(0);
    expect(slot.findings.map((finding) => finding.what)).toEqual([
      'register write while CRST is 0',
      'register write while CRST is 0',
    ]);
  });

  test('a reset clears everything but WAKEEN and STATESTS', () => {
    const { mmio, slot } = new HdaRig().bringUp();
    mmio.write16(R.WAKEEN, 1);
    mmio.write32(R.INTCTL, 0xffff_ffff);
    expect(mmio.read32(R.INTCTL)).toBe(0xc000_00ff);
    mmio.write32(R.CORBLBASE, 0x1234_5678);
    expect(mmio.read32(R.CORBLBASE)).toBe(0x1234_5600);
    mmio.write32(R.DPLBASE, 0x1000_0001);
    mmio.write32(R.GCTL, 0);
    slot.clock.advance(1000);
    mmio.write32(R.GCTL, 1);
    slot.clock.advance(100);
    for (const offset of [R.INTCTL, R.CORBLBASE, R.DPLBASE]) expect(mmio.read32(offset)).toBe(0);
    expect(mmio.read16(R.WAKEEN)).toBe(1);
    expect(mmio.read16(R.STATESTS)).toBe(1);
  });

  test('WALCLK counts 24 MHz exactly from CRST, wraps at 32 bits, and has an alias', () => {
    const { mmio, slot } = new HdaRig();
    mmio.write32(R.GCTL, 1);
    slot.clock.advance(100);
    expect(mmio.read32(R.WALCLK)).toBe(0);
    for (const ticks of [1, 3, 10_000, 9_999_999]) {
      slot.clock.advance(ticks);
      expect(mmio.read32(R.WALCLK)).toBe(Math.floor(((slot.clock.now - 100) * 24) / 10));
    }
    expect(mmio.read32(R.WALCLK + 0x2000)).toBe(mmio.read32(R.WALCLK));
    slot.clock.advanceTo(100 + 2 ** 32);
    expect(mmio.read32(R.WALCLK)).toBe(Math.floor((2 ** 32 * 24) / 10) % 2 ** 32);
  });

  test('FCNTRL sets the flush status, which a one clears', () => {
    const { mmio } = new HdaRig().bringUp();
    mmio.write32(R.GCTL, R.GCTL_CRST | R.GCTL_FCNTRL | R.GCTL_UNSOL);
    expect(mmio.read32(R.GCTL)).toBe(R.GCTL_CRST | R.GCTL_UNSOL);
    expect(mmio.read16(R.GSTS)).toBe(R.GSTS_FSTS);
    mmio.write16(R.GSTS, R.GSTS_FSTS);
    expect(mmio.read16(R.GSTS)).toBe(0);
  });

  test('bytes and words reach their lanes; what crosses a dword, or hits nothing, is reported', () => {
    const { mmio, slot } = new HdaRig().bringUp();
    mmio.write8(0x80 + R.SD_CBL + 1, 0x12);
    expect(mmio.read32(0x80 + R.SD_CBL)).toBe(0x1200);
    mmio.write32(0x80 + R.SD_LVI, 0x0003_0005);
    expect(mmio.read16(0x80 + R.SD_LVI)).toBe(5);
    expect(mmio.read16(0x80 + R.SD_FIFOW)).toBe(3);
    mmio.write16(0x80 + R.SD_FIFOW, 7);
    expect(mmio.read16(0x80 + R.SD_FIFOW)).toBe(4);
    expect(slot.findings).toEqual([]);
    mmio.read32(R.GCAP + 2);
    mmio.read32(0x3000);
    mmio.write32(0x14, 1);
    mmio.write32(R.WALCLK, 1);
    expect(slot.findings.map((finding) => finding.what)).toEqual([
      'read across a dword boundary',
      'read of a reserved register',
      'write to a reserved register',
      'write to the read-only register WALCLK',
    ]);
  });

  test('register events carry names and set bits', () => {
    const rig = new HdaRig({}, { wantsRegisters: true });
    rig.mmio.write32(R.GCTL, R.GCTL_CRST);
    rig.mmio.read32(0x100);
    expect(rig.slot.registers).toEqual([
      { name: 'GCTL', direction: 'write', value: 1, size: 4, meaning: 'CRST' },
      { name: 'OSD0CTL+OSD0STS', direction: 'read', value: R.CTL_TP, size: 4, meaning: undefined },
    ]);
  });
});

describe('power and messages', () => {
  test('in D3 nothing answers; back in D0 the controller is in reset with its wake logic', () => {
    const { card, mmio, slot } = new HdaRig().bringUp();
    mmio.write16(R.WAKEEN, 1);
    card.onConfigWrite(PCS, 1, 3);
    expect(mmio.read32(R.GCTL)).toBe(0xffff_ffff);
    mmio.write32(R.GCTL, 0);
    card.onConfigWrite(PCS, 1, 0);
    expect(mmio.read32(R.GCTL)).toBe(0);
    expect(mmio.read16(R.WAKEEN)).toBe(1);
    expect(slot.findings.map((finding) => finding.what)).toEqual([
      'register read in D3',
      'register write in D3',
    ]);
  });

  test('with MSI a message goes to memory once for each rise, and INTA# stays low', () => {
    const { card, mmio, slot } = new HdaRig();
    card.onConfigWrite(MMLA, 4, POSITION_ADDRESS);
    card.onConfigWrite(MMD, 2, 0x4321);
    card.onConfigWrite(MMC, 2, 1);
    mmio.write16(R.WAKEEN, 1);
    mmio.write32(R.GCTL, 1);
    slot.clock.advance(100);
    mmio.write32(R.INTCTL, (R.INT_GLOBAL | R.INT_CONTROLLER) >>> 0);
    slot.clock.advance(10_000);
    expect(slot.asserted).toBe(false);
    expect(slot.ram[POSITION_ADDRESS - slot.ramStart]).toBe(0x21);
    expect(slot.ram[POSITION_ADDRESS - slot.ramStart + 1]).toBe(0x43);
  });

  test('a jack that changes while the link is down wakes', () => {
    const { card, mmio, slot } = new HdaRig({ codecs: [{ name: 'desktop' }] }).bringUp();
    mmio.write16(R.STATESTS, 0xffff);
    mmio.write32(R.GCTL, 0);
    slot.clock.advance(1000);
    card.plug(0, 0x14, {});
    expect(mmio.read16(R.STATESTS)).toBe(1);
    card.plug(0, 0x1e, {});
    mmio.write16(R.STATESTS, 1);
    card.plug(0, 0x14, {});
    expect(mmio.read16(R.STATESTS)).toBe(0);
  });
});

test('a snapshot has every register, and taking it changes nothing', () => {
  const { card, slot } = new HdaRig().bringUp();
  const snapshot = card.snapshot();
  expect(snapshot.find((register) => register.name === 'GCAP')?.value).toBe(0x4401);
  expect(snapshot.find((register) => register.name === 'OSD3LPIBA')?.offset).toBe(0x2164);
  expect(card.snapshot()).toEqual(snapshot);
  expect(slot.findings).toEqual([]);
});
