import type { AccessSize } from '../../hal/bus.ts';
import * as R from '../../hardware/hda/registers.ts';
import type { Expectations } from '../check.ts';
import type { HdaBench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

const RESERVED = [0x14, 0x1c, 0x28, 0x2c, 0x3c, 0x6c, 0x78, 0x7c] as const;

function store(
  bench: HdaBench,
  expect: Expectations,
  what: string,
  offset: number,
  size: AccessSize,
  mask: number,
  fixed = 0,
): void {
  for (const value of [0xffff_ffff, 0, 0x5555_5555, 0xaaaa_aaaa]) {
    const written = size === 4 ? value : value & (size === 2 ? 0xffff : 0xff);
    bench.card.writeBar(0, offset, size, written >>> 0);
    expect.equal(
      `${what} after ${(written >>> 0).toString(16)}`,
      bench.card.readBar(0, offset, size),
      ((written & mask) | fixed) >>> 0,
    );
  }
  bench.card.writeBar(0, offset, size, 0);
}

/** A register of its own: what it has after reset, and which bits it stores. */
function stores(name: string, offset: number, size: AccessSize, mask: number): CheckRow[3] {
  return (bench, expect) => {
    expect.equal(`${name} after reset`, bench.card.readBar(0, offset, size), 0);
    store(bench, expect, name, offset, size, mask);
  };
}

/** A constant: what it is, and that it ignores writes. */
function constant(name: string, offset: number, size: AccessSize, value: number): CheckRow[3] {
  return (bench, expect) => {
    expect.equal(name, bench.card.readBar(0, offset, size), value);
    bench.card.writeBar(0, offset, size, (~value & (size === 4 ? -1 : size === 2 ? 0xffff : 0xff)) >>> 0);
    expect.equal(`${name} after a write`, bench.card.readBar(0, offset, size), value);
  };
}

/** The same of a register in every stream descriptor. */
function inEveryStream(
  name: string,
  register: number,
  size: AccessSize,
  mask: number,
  reset = 0,
): CheckRow[3] {
  return (bench, expect) => {
    for (let stream = 0; stream < bench.streams; stream++) {
      const what = `${name} of stream ${stream}`;
      const offset = bench.at(stream, register);
      bench.resetStream(stream);
      expect.equal(`${what} after reset`, bench.card.readBar(0, offset, size), reset);
      store(bench, expect, what, offset, size, mask);
    }
  };
}

/** Which bits of which register can be written, and what they are after reset. */
export const REGISTER_CHECKS = checkTable('REG', 'Registers', [
  [
    '001',
    'GCAP: four output and four input streams, one SDO, 64-bit addresses',
    'HDA 1.0a §3.3.2; ICH6 §18.2.1',
    constant('GCAP', R.GCAP, 2, 0x4401),
  ],
  ['002', 'The version is 1.0', 'HDA 1.0a §3.3.3, §3.3.4', constant('VMAJ', R.VMAJ, 1, 1)],
  ['003', 'The minor version is 0', 'HDA 1.0a §3.3.3', constant('VMIN', R.VMIN, 1, 0)],
  ['004', 'OUTPAY: 60 words a frame', 'HDA 1.0a §3.3.5; ICH6 §18.2.4', constant('OUTPAY', R.OUTPAY, 2, 0x3c)],
  ['005', 'INPAY: 29 words a frame', 'HDA 1.0a §3.3.6; ICH6 §18.2.5', constant('INPAY', R.INPAY, 2, 0x1d)],
  [
    '006',
    'OUTSTRMPAY: 48 words for one stream',
    'HDA 1.0a §3.3.11; ICH7 §19.2.10',
    constant('OUTSTRMPAY', R.OUTSTRMPAY, 2, 0x30),
  ],
  [
    '007',
    'INSTRMPAY: 24 words for one stream',
    'HDA 1.0a §3.3.12; ICH7 §19.2.11',
    constant('INSTRMPAY', R.INSTRMPAY, 2, 0x18),
  ],
  [
    '008',
    'INTCTL stores GIE, CIE and an enable for each stream',
    'HDA 1.0a §3.3.14',
    stores('INTCTL', R.INTCTL, 4, 0xc000_00ff),
  ],
  ['009', 'INTSTS is read-only', 'HDA 1.0a §3.3.15', constant('INTSTS', R.INTSTS, 4, 0)],
  [
    '010',
    'SSYNC stores a bit for each stream',
    'HDA 1.0a §3.3.17; ICH6 §18.2.13',
    stores('SSYNC', R.SSYNC, 4, 0xff),
  ],
  [
    '011',
    'CORBLBASE stores addresses of 128-byte boundaries',
    'HDA 1.0a §3.3.18',
    stores('CORBLBASE', R.CORBLBASE, 4, 0xffff_ff80),
  ],
  ['012', 'CORBUBASE stores 32 bits', 'HDA 1.0a §3.3.19', stores('CORBUBASE', R.CORBUBASE, 4, 0xffff_ffff)],
  ['013', 'CORBWP stores eight bits', 'HDA 1.0a §3.3.20', stores('CORBWP', R.CORBWP, 2, 0x00ff)],
  [
    '014',
    'CORBRP cannot be set but for its reset bit',
    'HDA 1.0a §3.3.21',
    stores('CORBRP', R.CORBRP, 2, 0x8000),
  ],
  [
    '015',
    'CORBCTL stores the error enable and, for a ring without commands, RUN',
    'HDA 1.0a §3.3.22',
    stores('CORBCTL', R.CORBCTL, 1, 0x03),
  ],
  [
    '016',
    'CORBSTS is clear, and ones written leave it so',
    'HDA 1.0a §3.3.23',
    stores('CORBSTS', R.CORBSTS, 1, 0),
  ],
  [
    '017',
    'CORBSIZE: 256 entries and nothing else',
    'HDA 1.0a §3.3.24; ICH6 §18.2.20',
    constant('CORBSIZE', R.CORBSIZE, 1, 0x42),
  ],
  [
    '018',
    'RIRBLBASE stores addresses of 128-byte boundaries',
    'HDA 1.0a §3.3.25',
    stores('RIRBLBASE', R.RIRBLBASE, 4, 0xffff_ff80),
  ],
  ['019', 'RIRBUBASE stores 32 bits', 'HDA 1.0a §3.3.26', stores('RIRBUBASE', R.RIRBUBASE, 4, 0xffff_ffff)],
  [
    '020',
    'RIRBWP cannot be set, and its reset bit reads 0',
    'HDA 1.0a §3.3.27',
    stores('RIRBWP', R.RIRBWP, 2, 0),
  ],
  ['021', 'RINTCNT stores eight bits', 'HDA 1.0a §3.3.28', stores('RINTCNT', R.RINTCNT, 2, 0x00ff)],
  ['022', 'RIRBCTL stores three bits', 'HDA 1.0a §3.3.29', stores('RIRBCTL', R.RIRBCTL, 1, 0x07)],
  [
    '023',
    'RIRBSTS is clear, and ones written leave it so',
    'HDA 1.0a §3.3.30',
    stores('RIRBSTS', R.RIRBSTS, 1, 0),
  ],
  [
    '024',
    'RIRBSIZE: 256 entries and nothing else',
    'HDA 1.0a §3.3.31; ICH6 §18.2.27',
    constant('RIRBSIZE', R.RIRBSIZE, 1, 0x42),
  ],
  ['025', 'ICOI stores a command', 'HDA 1.0a §3.4.1', stores('ICOI', R.ICOI, 4, 0xffff_ffff)],
  [
    '026',
    'DPLBASE stores addresses of 128-byte boundaries and its enable',
    'HDA 1.0a §3.3.32',
    stores('DPLBASE', R.DPLBASE, 4, 0xffff_ff81),
  ],
  ['027', 'DPUBASE stores 32 bits', 'HDA 1.0a §3.3.33', stores('DPUBASE', R.DPUBASE, 4, 0xffff_ffff)],
  [
    '028',
    'WAKEEN has bits for codecs alone',
    'HDA 1.0a §3.3.8; ICH6 §18.2.7',
    (bench, expect) => {
      bench.write16(R.WAKEEN, 0xffff);
      const stored = bench.read16(R.WAKEEN);
      expect.that(
        'WAKEEN after ffff',
        stored === 7 || stored === 0x0f,
        '0007h or 000Fh, a bit for each SDIN line',
        stored.toString(16),
      );
      bench.write16(R.WAKEEN, 0);
      expect.equal('WAKEEN after 0', bench.read16(R.WAKEEN), 0);
    },
  ],
  ['029', 'GSTS is clear, and ones written leave it so', 'HDA 1.0a §3.3.10', stores('GSTS', R.GSTS, 2, 0)],
  [
    '030',
    'Where no register is, 0 is read whatever is written',
    'HDA 1.0a §3.3',
    (bench, expect) => {
      for (const offset of RESERVED) {
        bench.write32(offset, 0xffff_ffff);
        expect.equal(`dword at ${offset.toString(16)}`, bench.read32(offset), 0);
      }
    },
  ],
  [
    '031',
    'Registers answer to the bytes and words that they consist of',
    'ICH6 §18.2; HDA 1.0a §3.2',
    (bench, expect) => {
      bench.write32(R.CORBUBASE, 0x8765_4321);
      expect.equal('low word of CORBUBASE', bench.read16(R.CORBUBASE), 0x4321);
      expect.equal('high word of CORBUBASE', bench.read16(R.CORBUBASE + 2), 0x8765);
      expect.equal('byte 1 of CORBUBASE', bench.read8(R.CORBUBASE + 1), 0x43);
      expect.equal('byte 3 of CORBUBASE', bench.read8(R.CORBUBASE + 3), 0x87);
      bench.write8(R.CORBUBASE + 1, 0xaa);
      expect.equal('after a write of byte 1', bench.read32(R.CORBUBASE), 0x8765_aa21);
      bench.write16(R.CORBUBASE + 2, 0x5555);
      expect.equal('after a write of the high word', bench.read32(R.CORBUBASE), 0x5555_aa21);
    },
  ],
  [
    '032',
    'A dword shows all the registers in it',
    'ICH6 §18.2; HDA 1.0a §3.2',
    (bench, expect) => {
      expect.equal('GCAP, VMIN, VMAJ', bench.read32(R.GCAP), 0x0100_4401);
      expect.equal('OUTPAY, INPAY', bench.read32(R.OUTPAY), 0x001d_003c);
      bench.write16(R.RINTCNT, 0x12);
      expect.equal('RIRBWP, RINTCNT', bench.read32(R.RIRBWP), 0x0012_0000);
    },
  ],
  [
    '033',
    'SDnCTL stores interrupt enables and stream number',
    'HDA 1.0a §3.3.35',
    (bench, expect) => {
      const mask = R.CTL_IOCE | R.CTL_FEIE | R.CTL_DEIE | R.CTL_STRM;
      for (let stream = 0; stream < bench.streams; stream++) {
        for (const value of [mask, 0, 0x500014, 0xa00008]) {
          bench.write32(bench.at(stream, R.SD_CTL), value);
          expect.bits(
            `SDCTL of stream ${stream} after ${value.toString(16)}`,
            bench.ctl(stream),
            mask,
            value,
          );
        }
        bench.write32(bench.at(stream, R.SD_CTL), 0);
      }
    },
  ],
  [
    '034',
    'Bits 15:5 of SDnCTL read 0',
    'HDA 1.0a §3.3.35',
    (bench, expect) => {
      for (let stream = 0; stream < bench.streams; stream++) {
        bench.write32(bench.at(stream, R.SD_CTL), 0x00ff_fffc);
        expect.bits(`SDCTL of stream ${stream}`, bench.ctl(stream), 0xffe0, 0);
        bench.write32(bench.at(stream, R.SD_CTL), 0);
      }
    },
  ],
  [
    '035',
    'Direction is fixed, no stream is striped, and traffic priority is hardwired to 1',
    'ICH6 §18.2.33',
    (bench, expect) => {
      for (let stream = 0; stream < bench.streams; stream++) {
        bench.write32(bench.at(stream, R.SD_CTL), 0x00ff_fffc);
        expect.bits(`SDCTL of stream ${stream} after ones`, bench.ctl(stream), 0x000f_0000, R.CTL_TP);
        bench.write32(bench.at(stream, R.SD_CTL), 0);
        expect.bits(`SDCTL of stream ${stream} after zeros`, bench.ctl(stream), 0x000f_0000, R.CTL_TP);
      }
    },
  ],
  [
    '036',
    'The byte of the stream number can be written alone',
    'HDA 1.0a §3.3.35; ICH6 §18.2',
    (bench, expect) => {
      const offset = bench.at(bench.firstOutput, R.SD_CTL);
      bench.write8(offset, R.CTL_IOCE);
      bench.write8(offset + 2, 0x90);
      expect.bits('SDCTL', bench.ctl(bench.firstOutput), R.CTL_STRM | 0x1f, 0x90_0000 | R.CTL_IOCE);
      expect.equal('byte of the stream number', bench.read8(offset + 2) & 0xf0, 0x90);
    },
  ],
  [
    '037',
    'SDnSTS is clear after a stream reset',
    'HDA 1.0a §3.3.36',
    (bench, expect) => {
      for (let stream = 0; stream < bench.streams; stream++) {
        bench.resetStream(stream);
        expect.equal(`STS of stream ${stream}`, bench.sts(stream), 0);
      }
    },
  ],
  [
    '038',
    'SDnLPIB is read-only',
    'HDA 1.0a §3.3.37',
    (bench, expect) => {
      for (let stream = 0; stream < bench.streams; stream++) {
        bench.write32(bench.at(stream, R.SD_LPIB), 0x1234);
        expect.equal(`LPIB of stream ${stream}`, bench.lpib(stream), 0);
      }
    },
  ],
  ['039', 'SDnCBL stores 32 bits', 'HDA 1.0a §3.3.38', inEveryStream('CBL', R.SD_CBL, 4, 0xffff_ffff)],
  ['040', 'SDnLVI stores eight bits', 'HDA 1.0a §3.3.39', inEveryStream('LVI', R.SD_LVI, 2, 0x00ff)],
  [
    '041',
    'SDnFMT stores base, multiplier, divisor, bits and channels, and no reserved bits',
    'HDA 1.0a §3.3.41; ICH6 §18.2.40',
    inEveryStream('FMT', R.SD_FMT, 2, 0x7f7f),
  ],
  [
    '042',
    'SDnBDPL stores addresses of 128-byte boundaries',
    'HDA 1.0a §3.3.42',
    inEveryStream('BDPL', R.SD_BDPL, 4, 0xffff_ff80),
  ],
  ['043', 'SDnBDPU stores 32 bits', 'HDA 1.0a §3.3.43', inEveryStream('BDPU', R.SD_BDPU, 4, 0xffff_ffff)],
  [
    '044',
    'SDnFIFOW is 32 bytes, can be 8, 16 or 32, and takes no other value',
    'ICH6 §18.2.38; ICH7 §19.2.41',
    (bench, expect) => {
      for (let stream = 0; stream < bench.streams; stream++) {
        bench.resetStream(stream);
        const offset = bench.at(stream, R.SD_FIFOW);
        expect.equal(`FIFOW of stream ${stream} after reset`, bench.read16(offset), 4);
        for (const [written, kept] of [
          [2, 2],
          [3, 3],
          [7, 4],
          [4, 4],
        ] as const) {
          bench.write16(offset, written);
          expect.equal(`FIFOW of stream ${stream} after ${written}`, bench.read16(offset), kept);
        }
      }
    },
  ],
  [
    '045',
    'SDnFIFOS of input streams: 120 bytes, 160 for samples of 20 and 24 bits; read-only',
    'HDA 1.0a §3.3.40; ICH6 §18.2.39',
    (bench, expect) => {
      for (let stream = 0; stream < bench.inputStreams; stream++) {
        bench.resetStream(stream);
        const offset = bench.at(stream, R.SD_FIFOS);
        expect.equal(`FIFOS of stream ${stream}`, bench.read16(offset), 0x77);
        bench.write16(offset, 0x0f);
        expect.equal(`FIFOS of stream ${stream} after a write`, bench.read16(offset), 0x77);
        bench.write16(bench.at(stream, R.SD_FMT), 0x0031);
        expect.equal(`FIFOS of stream ${stream} at 24 bits`, bench.read16(offset), 0x9f);
        bench.write16(bench.at(stream, R.SD_FMT), 0);
      }
    },
  ],
  [
    '046',
    'SDnFIFOS of output streams: 192 bytes, 256 for samples of 20 and 24 bits',
    'HDA 1.0a §3.3.40; ICH6 §18.2.39',
    (bench, expect) => {
      for (let stream = bench.firstOutput; stream < bench.streams; stream++) {
        bench.resetStream(stream);
        const offset = bench.at(stream, R.SD_FIFOS);
        expect.equal(`FIFOS of stream ${stream}`, bench.read16(offset), 0xbf);
        bench.write16(bench.at(stream, R.SD_FMT), 0x0031);
        expect.equal(`FIFOS of stream ${stream} at 24 bits`, bench.read16(offset), 0xff);
        bench.write16(bench.at(stream, R.SD_FMT), 0);
      }
    },
  ],
  [
    '047',
    'The FIFOs of output streams can be made shorter; sizes that there are not become 192 bytes',
    'ICH6 §18.2.39',
    (bench, expect) => {
      for (let stream = bench.firstOutput; stream < bench.streams; stream++) {
        bench.resetStream(stream);
        const offset = bench.at(stream, R.SD_FIFOS);
        for (const [written, kept] of [
          [0x0f, 0x0f],
          [0x1f, 0x1f],
          [0x3f, 0x3f],
          [0x7f, 0x7f],
          [0x33, 0xbf],
          [0xbf, 0xbf],
        ] as const) {
          bench.write16(offset, written);
          expect.equal(`FIFOS of stream ${stream} after ${written.toString(16)}`, bench.read16(offset), kept);
        }
      }
    },
  ],
  [
    '048',
    'Every descriptor has registers of its own',
    'HDA 1.0a §3.3.34',
    (bench, expect) => {
      const value = (stream: number) => 0x0101_0100 * (stream + 1);
      for (let stream = 0; stream < bench.streams; stream++) {
        bench.write32(bench.at(stream, R.SD_CBL), value(stream));
        bench.write32(bench.at(stream, R.SD_BDPU), value(stream) + 1);
        bench.write16(bench.at(stream, R.SD_LVI), stream + 3);
      }
      for (let stream = 0; stream < bench.streams; stream++) {
        expect.equal(`CBL of stream ${stream}`, bench.read32(bench.at(stream, R.SD_CBL)), value(stream));
        expect.equal(
          `BDPU of stream ${stream}`,
          bench.read32(bench.at(stream, R.SD_BDPU)),
          value(stream) + 1,
        );
        expect.equal(`LVI of stream ${stream}`, bench.read16(bench.at(stream, R.SD_LVI)), stream + 3);
      }
    },
  ],
  [
    '049',
    'A dword written to SDnCTL with zeros in the status’ byte clears no status',
    'HDA 1.0a §3.3.35, §3.3.36',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.openOutput(1);
      bench.program({ stream, tag: 1, entries: bench.silentEntries(2, 384, true) });
      bench.run(stream);
      bench.waitStatus(stream, R.STS_BCIS);
      bench.stop(stream);
      bench.write32(bench.at(stream, R.SD_CTL), 0x10_0000);
      expect.bits('STS', bench.sts(stream), R.STS_BCIS, R.STS_BCIS);
      bench.write32(bench.at(stream, R.SD_CTL), 0x0410_0000);
      expect.bits('STS after a one', bench.sts(stream), R.STS_BCIS, 0);
    },
  ],
]);
