# SPDX-License-Identifier: Zlib
# Writes a folder of files in the ways of Ruby's Zlib, and reads it back. Answers are printed.
require "digest"
require "zlib"

BITS = { "zlib" => 15, "raw" => -15, "gz" => 31 }

def pieces(data, size)
  (0...data.bytesize).step(size).map { |at| data.byteslice(at, size) }
end

def write(files, out)
  Dir.mkdir(out)
  save = ->(name, data) { File.binwrite(File.join(out, name), data) }
  files.each do |name, data|
    [1, 6, 9].each do |level|
      BITS.each { |kind, bits| save["#{name}.at#{level}.#{kind}", Zlib::Deflate.new(level, bits).deflate(data, Zlib::FINISH)] }
    end
    save["#{name}.module.zlib", Zlib.deflate(data)]
    save["#{name}.module.gz", Zlib.gzip(data)]
    stream = Zlib::Deflate.new
    parts = pieces(data, 40_000).map { |piece| stream.deflate(piece, Zlib::SYNC_FLUSH) }
    copy = stream.dup
    save["#{name}.sync.zlib", parts.join + stream.finish]
    save["#{name}.copy.zlib", parts.join + copy.finish]
    Zlib::GzipWriter.open(File.join(out, "#{name}.writer.gz")) { |gz| pieces(data, 8191).each { |piece| gz.write(piece) } }
    puts "#{name} #{data.bytesize} #{Digest::SHA1.hexdigest(data)}"
  end
  # Many threads, each with streams of its own.
  backs = 8.times.map { |nr| Thread.new { Zlib.inflate(Zlib.deflate(files["text"] * (nr + 1))) } }.map(&:value)
  puts backs.map { |back| Digest::SHA1.hexdigest(back) }
  child = fork { exit!(Zlib.gunzip(Zlib.gzip(files["log"])) == files["log"] ? 0 : 1) }
  Process.wait(child)
  puts "child #{$?.exitstatus}"
  sound = Zlib.deflate(files["text"])
  { "cut" => sound[0, sound.bytesize / 2], "header" => "no zlib stream", "none" => "",
    "checksum" => sound[0..-5] + "\0" * 4 }.each do |name, bytes|
    puts "#{name} #{Zlib.inflate(bytes).bytesize}"
  rescue Zlib::Error => e
    puts "#{name} #{e.class} #{e.message}"
  end
end

def read(files, out)
  Dir.children(out).sort.each do |entry|
    name, _, kind = entry.split(".")
    data = File.binread(File.join(out, entry))
    whole = Zlib::Inflate.new(BITS[kind]).inflate(data)
    stream = Zlib::Inflate.new(BITS[kind])
    back = pieces(data, 10_007).map { |piece| stream.inflate(piece) }.join + stream.finish
    abort "#{entry} is different" unless whole == files[name] && back == files[name]
    next unless kind == "gz"
    abort "#{entry} is different by GzipReader" unless Zlib::GzipReader.open(File.join(out, entry), &:read).to_s.b == files[name]
  end
end

mode, mix, out = ARGV
send(mode, Dir.children(mix).sort.to_h { |name| [name, File.binread(File.join(mix, name))] }, out)
