// SPDX-License-Identifier: Zlib
// Writes a folder of files in the ways of java.util.zip, and reads it back. Answers are printed.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.zip.*;

public class Zips {
	static byte[] deflate(byte[] data, int level, boolean raw, int room, int flush) {
		Deflater deflater = new Deflater(level, raw);
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		byte[] buffer = new byte[room];
		int nr;
		for (int at = 0; at < data.length; at += 50021) {
			deflater.setInput(data, at, Math.min(50021, data.length - at));
			while ((nr = deflater.deflate(buffer, 0, room, flush)) > 0)
				out.write(buffer, 0, nr);
		}
		deflater.finish();
		while (!deflater.finished())
			out.write(buffer, 0, deflater.deflate(buffer));
		deflater.end();
		return out.toByteArray();
	}

	static byte[] inflate(byte[] data, boolean raw, int room) throws DataFormatException {
		Inflater inflater = new Inflater(raw);
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		ByteBuffer buffer = ByteBuffer.allocateDirect(room);
		inflater.setInput(data);
		while (!inflater.finished()) {
			if (inflater.inflate(buffer.clear()) == 0 && !inflater.finished() && inflater.needsInput())
				throw new DataFormatException("cut");
			byte[] part = new byte[buffer.flip().remaining()];
			buffer.get(part);
			out.writeBytes(part);
		}
		inflater.end();
		return out.toByteArray();
	}

	static void write(Map<String, byte[]> files, Path out) throws Exception {
		Files.createDirectory(out);
		try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(out.resolve("all.zip")))) {
			for (var file : files.entrySet()) {
				zip.putNextEntry(new ZipEntry(file.getKey()));
				zip.write(file.getValue());
				zip.closeEntry();
			}
		}
		for (var file : files.entrySet()) {
			String name = file.getKey();
			byte[] data = file.getValue();
			for (int level : new int[] { 1, 6, 9 })
				for (int room : new int[] { 5, 4096, 1 << 20 }) {
					if (room == 5 && level != 6)
						continue;
					Files.write(out.resolve(name + ".at" + level + "-" + room + ".zlib"),
						deflate(data, level, false, room, Deflater.NO_FLUSH));
				}
			Files.write(out.resolve(name + ".sync.raw"), deflate(data, 6, true, 8192, Deflater.SYNC_FLUSH));
			Files.write(out.resolve(name + ".full.zlib"), deflate(data, 1, false, 8192, Deflater.FULL_FLUSH));
			try (OutputStream gz = new GZIPOutputStream(Files.newOutputStream(out.resolve(name + ".stream.gz")))) {
				gz.write(data);
			}
			try (InputStream in = new DeflaterInputStream(new ByteArrayInputStream(data))) {
				Files.write(out.resolve(name + ".input.zlib"), in.readAllBytes());
			}
			System.out.println(name + " " + data.length + " " + Arrays.hashCode(data));
		}
		boolean same = IntStream.range(0, 16).parallel().allMatch(nr -> {
			try {
				byte[] data = Arrays.copyOf(files.get("text"), 20000 * (nr + 1));
				return Arrays.equals(data, inflate(deflate(data, 6, false, 4096, Deflater.NO_FLUSH), false, 4096));
			} catch (DataFormatException e) {
				return false;
			}
		});
		System.out.println("threads " + same);
		byte[] sound = deflate(files.get("text"), 6, false, 4096, Deflater.NO_FLUSH);
		byte[] checksum = sound.clone();
		checksum[checksum.length - 1] ^= 1;
		for (byte[] bytes : new byte[][] { Arrays.copyOf(sound, sound.length / 2), new byte[0],
				"no zlib stream".getBytes(), checksum })
			try {
				System.out.println(inflate(bytes, false, 4096).length);
			} catch (DataFormatException e) {
				System.out.println(e.getMessage());
			}
	}

	static void check(boolean same, String what) throws IOException {
		if (!same)
			throw new IOException(what + " is different");
	}

	static void read(Map<String, byte[]> files, Path out) throws Exception {
		try (ZipFile zip = new ZipFile(out.resolve("all.zip").toFile())) {
			check(zip.size() == files.size(), "the number of entries");
			for (var file : files.entrySet())
				check(Arrays.equals(file.getValue(),
					zip.getInputStream(zip.getEntry(file.getKey())).readAllBytes()), file.getKey());
		}
		for (Path path : load(out).keySet().stream().map(out::resolve).toList()) {
			String[] part = path.getFileName().toString().split("\\.");
			byte[] want = files.get(part[0]);
			byte[] data = Files.readAllBytes(path);
			InputStream in = new ByteArrayInputStream(data);
			switch (part[part.length - 1]) {
			case "gz":
				check(Arrays.equals(want, new GZIPInputStream(in).readAllBytes()), path.toString());
				break;
			case "zlib":
			case "raw":
				boolean raw = part[part.length - 1].equals("raw");
				for (int room : new int[] { 777, 65536 })
					check(Arrays.equals(want, inflate(data, raw, room)), path.toString());
				check(Arrays.equals(want, new InflaterInputStream(in, new Inflater(raw)).readAllBytes()),
					path.toString());
				break;
			}
		}
	}

	static Map<String, byte[]> load(Path folder) throws IOException {
		Map<String, byte[]> files = new TreeMap<>();
		try (var list = Files.list(folder)) {
			for (Path path : list.toList())
				files.put(path.getFileName().toString(), Files.readAllBytes(path));
		}
		return files;
	}

	public static void main(String[] args) throws Exception {
		Map<String, byte[]> files = load(Path.of(args[1]));
		if (args[0].equals("write"))
			write(files, Path.of(args[2]));
		else
			read(files, Path.of(args[2]));
	}
}
