import { describe, expect, test } from 'vitest';
import {
  AC97_EXTENDED_AUDIO_ID,
  AC97_MASTER_VOLUME,
  AC97_POWERDOWN,
  AC97_REGISTERS,
  AC97_VENDOR_ID1,
  AC97_VENDOR_ID2,
  PD_PR4,
} from '../codecs/ac97-registers.ts';
import {
  CAS,
  CNT_ACLINK_OFF,
  CNT_COLD_RESET,
  CNT_GIE,
  CNT_PCM_246,
  CNT_WARM_RESET,
  CR_IOCE,
  CR_LVBIE,
  CR_RPBM,
  GLOB_CNT,
  GLOB_STA,
  NABM_REGISTERS,
  SR_DCH,
  STA_AD3,
  STA_MD3,
  STA_PCR,
  STA_RCS,
} from './registers.ts';
import { Ac97Rig, DATA_ADDRESS } from './test-rig.ts';

describe('identity', () => {
  test('PCI 8086:2415, multimedia audio, two I/O windows (§12.1)', () => {
    const { card } = new Ac97Rig();
    expect([card.vendorId, card.deviceId, card.classCode]).toEqual([0x8086, 0x2415, 0x040100]);
    expect(card.bars.map((bar) => [bar?.kind, bar?.size])).toEqual([
      ['io', 256],
      ['io', 64],
    ]);
  });

  test('the register table covers the window without overlap, and describes the reset state', () => {
    const { nabm } = new Ac97Rig();
    let end = 0;
    for (const register of NABM_REGISTERS) {
      expect(register.offset).toBeGreaterThanOrEqual(end);
      end = register.offset + register.widthBytes;
      expect([register.name, nabm.read(register.offset, register.widthBytes)]).toEqual([
        register.name,
        register.resetValue,
      ]);
    }
    expect(end).toBeLessThanOrEqual(64);
  });
});

describe('resets and the link', () => {
  test('after power-up the codec is in cold reset: not ready, reads give all ones and set RCS (§12.2.9)', () => {
    const { nam, nabm, slot } = new Ac97Rig();
    expect(nabm.read32(GLOB_CNT)).toBe(0);
    expect(nabm.read32(GLOB_STA)).toBe(0);
    expect(nam.read16(AC97_VENDOR_ID1)).toBe(0xffff);
    expect(nabm.read32(GLOB_STA)).toBe(STA_RCS);
    nabm.write32(GLOB_STA, STA_RCS);
    expect(nabm.read32(GLOB_STA)).toBe(0);
    expect(slot.findings.map((finding) => finding.what)).toEqual(['codec read while the link is down']);
  });

  test('releasing the cold reset brings the codec up after its time, not at once', () => {
    const { nam, nabm, slot } = new Ac97Rig({}, {});
    nabm.write32(GLOB_CNT, CNT_COLD_RESET);
    expect(nabm.read32(GLOB_CNT)).toBe(CNT_COLD_RESET);
    slot.clock.advance(999);
    expect(nabm.read32(GLOB_STA) & STA_PCR).toBe(0);
    slot.clock.advance(1);
    expect(nabm.read32(GLOB_STA)).toBe(STA_PCR);
    expect(nam.read16(AC97_VENDOR_ID1)).toBe(0x8384);
    expect(nam.read16(AC97_VENDOR_ID2)).toBe(0x7600);
    expect(nam.read16(AC97_POWERDOWN)).toBe(0);
    slot.clock.advance(5000);
    expect(nam.read16(AC97_POWERDOWN)).toBe(0x000f);
  });

  test('a codec without a start-up time is ready at once', () => {
    const { nam, nabm, slot } = new Ac97Rig({ codecReadyTicks: 0, sectionReadyTicks: 0 });
    nabm.write32(GLOB_CNT, CNT_COLD_RESET);
    expect(nabm.read32(GLOB_STA)).toBe(STA_PCR);
    expect(nam.read16(AC97_POWERDOWN)).toBe(0x000f);
    expect(slot.clock.nextDueTick).toBe(null);
  });

  test('a cold reset loses the data of controller and codec; the semaphore bits stay', () => {
    const { nam, nabm, slot } = new Ac97Rig().bringUp();
    nam.write16(AC97_MASTER_VOLUME, 0x0101);
    nabm.write32(0x10, 0x10_0000);
    nabm.write8(0x1b, CR_IOCE);
    nabm.write32(GLOB_STA, STA_AD3 | STA_MD3);
    nabm.write32(GLOB_CNT, 0);
    expect(nabm.read32(GLOB_STA)).toBe(STA_AD3 | STA_MD3);
    expect([nabm.read32(0x10), nabm.read8(0x1b), nabm.read16(0x16)]).toEqual([0, 0, SR_DCH]);
    nabm.write32(GLOB_CNT, CNT_COLD_RESET);
    slot.clock.advance(10_000);
    expect(nam.read16(AC97_MASTER_VOLUME)).toBe(0x8000);
  });

  test('PR4 stops the link; a warm reset starts it again and changes no register but PR4 (AC’97 2.3 §7)', () => {
    const { nam, nabm, slot } = new Ac97Rig().bringUp();
    nam.write16(AC97_MASTER_VOLUME, 0x0202);
    nam.write16(AC97_POWERDOWN, PD_PR4);
    expect(nabm.read32(GLOB_STA) & STA_PCR).toBe(0);
    expect(nam.read16(AC97_MASTER_VOLUME)).toBe(0xffff);
    nabm.write32(GLOB_CNT, CNT_COLD_RESET | CNT_WARM_RESET);
    expect(nabm.read32(GLOB_CNT)).toBe(CNT_COLD_RESET | CNT_WARM_RESET);
    slot.clock.advance(1000);
    expect(nabm.read32(GLOB_CNT)).toBe(CNT_COLD_RESET);
    expect(nabm.read32(GLOB_STA) & STA_PCR).toBe(STA_PCR);
    expect(nam.read16(AC97_MASTER_VOLUME)).toBe(0x0202);
    expect(nam.read16(AC97_POWERDOWN)).toBe(0x000f);
  });

  test('a warm reset while BIT_CLK runs is ignored and the bit does not change (§12.2.8)', () => {
    const { nabm } = new Ac97Rig().bringUp();
    nabm.write32(GLOB_CNT, CNT_COLD_RESET | CNT_WARM_RESET);
    expect(nabm.read32(GLOB_CNT)).toBe(CNT_COLD_RESET);
  });

  test('link shut-off takes the codec away and gives it back as it was', () => {
    const { nam, nabm } = new Ac97Rig().bringUp();
    nam.write16(AC97_MASTER_VOLUME, 0x0303);
    nabm.write32(GLOB_CNT, CNT_COLD_RESET | CNT_ACLINK_OFF);
    expect(nabm.read32(GLOB_STA) & STA_PCR).toBe(0);
    nabm.write32(GLOB_CNT, CNT_COLD_RESET);
    expect(nabm.read32(GLOB_STA) & STA_PCR).toBe(STA_PCR);
    expect(nam.read16(AC97_MASTER_VOLUME)).toBe(0x0303);
  });

  test('a running engine waits while the link is down and its clock begins when it is up', () => {
    const rig = new Ac97Rig();
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960 }]);
    rig.start('PO', 0);
    rig.advance(10_000_000);
    expect(rig.card.position('PO')).toMatchObject({ dmaSamples: 48, converterFrames: 0, running: false });
    rig.nabm.write32(GLOB_CNT, CNT_COLD_RESET);
    rig.advance(1000 + 9999);
    expect(rig.card.position('PO').converterFrames).toBe(48);
  });

  test('GLOB_CNT stores its bits, the channel selection among them; reserved bits read 0', () => {
    const { nabm, slot } = new Ac97Rig().bringUp();
    nabm.write32(GLOB_CNT, 0xffff_ffff & ~CNT_ACLINK_OFF & ~CNT_WARM_RESET);
    expect(nabm.read32(GLOB_CNT)).toBe(CNT_PCM_246 | 0x30 | CNT_COLD_RESET | CNT_GIE);
    nabm.write8(GLOB_CNT + 2, 0x10);
    expect(nabm.read32(GLOB_CNT)).toBe((1 << 20) | 0x30 | CNT_COLD_RESET | CNT_GIE);
    expect(slot.findings.map((finding) => finding.what)).toContain(
      '4 or 6 channels of PCM out selected: the codec has two',
    );
  });

  test('PCI reset puts everything back', () => {
    const rig = new Ac97Rig().bringUp().unmute();
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 10, flags: 0x8000_0000 }]);
    rig.start('PO', 0, CR_IOCE);
    expect(rig.slot.asserted).toBe(true);
    rig.card.reset();
    expect(rig.slot.asserted).toBe(false);
    for (const register of NABM_REGISTERS) {
      expect([register.name, rig.nabm.read(register.offset, register.widthBytes)]).toEqual([
        register.name,
        register.resetValue,
      ]);
    }
  });

  test('after removal nothing answers and nothing happens', () => {
    const rig = new Ac97Rig().bringUp();
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 10, flags: 0x8000_0000 }]);
    rig.start('PO', 0, CR_IOCE);
    rig.card.detach();
    expect(rig.slot.asserted).toBe(false);
    expect(rig.slot.clock.nextDueTick).toBe(null);
    expect([rig.nabm.read32(GLOB_STA), rig.nabm.read8(0x14), rig.nam.read16(0)]).toEqual([
      0xffff_ffff, 0xff, 0xffff,
    ]);
    rig.nabm.write8(0x1b, CR_RPBM);
    rig.nam.write16(0, 0);
    rig.advance(10_000_000);
  });
});

test('a card that was pulled out works in its next slot', () => {
  const rig = new Ac97Rig().bringUp();
  rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960, flags: 0x8000_0000 }]);
  rig.start('PO', 0, CR_IOCE);
  rig.card.detach();
  rig.card.attach(rig.slot);
  rig.card.reset();
  rig.bringUp();
  rig.start('PO', 0, CR_IOCE);
  rig.advance(1_000_000);
  expect(rig.slot.asserted).toBe(true);
});

describe('codec access', () => {
  test('the semaphore is taken by reading it and given back by any codec access (§12.2.10)', () => {
    const { nam, nabm } = new Ac97Rig().bringUp();
    expect([nabm.read8(CAS), nabm.read8(CAS)]).toEqual([0, 1]);
    nam.read16(AC97_EXTENDED_AUDIO_ID);
    expect(nabm.read8(CAS)).toBe(0);
    nam.write16(AC97_MASTER_VOLUME, 0);
    expect(nabm.read8(CAS)).toBe(0);
  });

  test('there is no secondary codec: its half of the window times out', () => {
    const { nam, nabm } = new Ac97Rig().bringUp();
    expect(nam.read16(0x80 + AC97_VENDOR_ID1)).toBe(0xffff);
    expect(nabm.read32(GLOB_STA)).toBe(STA_PCR | STA_RCS);
  });

  test('other widths are one word access from the first byte, and a finding', () => {
    const { nam, slot } = new Ac97Rig().bringUp();
    expect(nam.read8(AC97_VENDOR_ID1)).toBe(0x84);
    expect(nam.read8(AC97_VENDOR_ID1 + 1)).toBe(0);
    expect(nam.read32(AC97_VENDOR_ID1)).toBe(0xffff_8384);
    nam.write32(AC97_MASTER_VOLUME, 0x1234_0505);
    expect(nam.read16(AC97_MASTER_VOLUME)).toBe(0x0505);
    expect(nam.read16(AC97_MASTER_VOLUME + 2)).toBe(0x8000);
    expect(slot.findings.length).toBe(4);
  });

  test('registers are reported by name, with what the value means', () => {
    const rig = new Ac97Rig({}, { wantsRegisters: true }).bringUp();
    rig.nam.write16(AC97_MASTER_VOLUME, 0x8102);
    rig.nabm.write8(0x1b, CR_LVBIE | CR_IOCE);
    rig.nabm.read32(0x14);
    rig.nabm.read8(0x3f);
    expect(rig.slot.registers.slice(1)).toEqual([
      {
        name: 'MASTER_VOLUME',
        direction: 'write',
        value: 0x8102,
        size: 2,
        meaning: 'muted, left -1.5 dB, right -3 dB',
      },
      { name: 'PO_CR', direction: 'write', value: 0x14, size: 1, meaning: 'LVBIE IOCE' },
      { name: 'PO_CIV+PO_LVI+PO_SR', direction: 'read', value: 0x1_0000, size: 4, meaning: 'DCH' },
      { name: 'NABM_3F', direction: 'read', value: 0, size: 1, meaning: undefined },
    ]);
    expect(rig.slot.findings.map((finding) => finding.what)).toContain(
      'read of a reserved bus master register',
    );
  });
});

test('a snapshot lists every register and disturbs none', () => {
  const { card, nam, nabm } = new Ac97Rig().bringUp();
  nam.write16(AC97_MASTER_VOLUME, 0x0202);
  const list = card.snapshot();
  expect(list.length).toBe(NABM_REGISTERS.length + AC97_REGISTERS.length);
  expect(list.find((register) => register.name === 'MASTER_VOLUME')).toEqual({
    window: 'NAM',
    name: 'MASTER_VOLUME',
    offset: 2,
    value: 0x0202,
    meaning: 'left -3 dB, right -3 dB',
  });
  expect(list.find((register) => register.name === 'PO_SR')).toMatchObject({ value: SR_DCH, meaning: 'DCH' });
  expect(nabm.read8(CAS)).toBe(0);
  expect(card.snapshot().find((register) => register.name === 'CAS')?.value).toBe(1);
});

describe('bus master register access', () => {
  test('read-only registers keep their value, index registers have five bits, BDBAR is 8-byte aligned', () => {
    const { nabm, slot } = new Ac97Rig().bringUp();
    for (const base of [0x00, 0x10, 0x20]) {
      nabm.write32(base, 0xffff_ffff);
      expect(nabm.read32(base)).toBe(0xffff_fff8);
      nabm.write8(base + 5, 0xff);
      expect(nabm.read8(base + 5)).toBe(31);
      nabm.write8(base + 4, 0x05);
      nabm.write16(base + 8, 0x1234);
      nabm.write8(base + 0x0a, 0x07);
      expect([nabm.read8(base + 4), nabm.read16(base + 8), nabm.read8(base + 0x0a)]).toEqual([0, 0, 0]);
    }
    expect(slot.findings.length).toBe(9);
  });

  test('byte lanes: parts of BDBAR can be written, a wide write reaches all registers it covers', () => {
    const { nabm } = new Ac97Rig().bringUp();
    nabm.write16(0x12, 0x0012);
    nabm.write8(0x11, 0x34);
    expect(nabm.read32(0x10)).toBe(0x0012_3400);
    nabm.write32(0x14, 0x0000_1f00);
    expect(nabm.read8(0x15)).toBe(31);
    expect(nabm.read16(0x14)).toBe(0x1f00);
    expect(nabm.read8(0x16)).toBe(SR_DCH);
    expect(nabm.read16(0x1a)).toBe(0);
  });

  test('a read across dwords is put together from both, and a finding', () => {
    const { nabm, slot } = new Ac97Rig().bringUp();
    nabm.write32(0x10, 0x4433_2200);
    nabm.write8(0x15, 9);
    expect(nabm.read32(0x12)).toBe(0x0900_4433);
    expect(slot.findings.map((finding) => finding.what)).toEqual(['read across a dword boundary']);
  });
});
