import { crc32 } from 'node:zlib';

/** A ZIP archive with one file, stored without compression; what Lambda takes as the code of a function. */
export function zipOf(name: string, text: string): Uint8Array {
  const [path, data] = [Buffer.from(name), Buffer.from(text)];
  // Version 2.0, no flags, stored, midnight of 1980-01-01; then checksum, two sizes and the length of the name.
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(0x21, 8);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, path, data]);

  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE(0o100644 * 0x1_0000, 6);
  const central = Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 3]), common, attributes, path]);

  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\u0005\u0006'), end]);
}
