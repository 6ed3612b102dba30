# SPDX-License-Identifier: Zlib
# Writes the files of a folder in every way perl knows, or reads them back: perl.pl write|read FROM TO
use strict;
use warnings;
use Compress::Zlib;
use IO::Compress::Gzip qw(gzip $GzipError);
use IO::Compress::RawDeflate qw(rawdeflate $RawDeflateError);
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use IO::Uncompress::RawInflate qw(rawinflate $RawInflateError);

sub slurp {
	open(my $file, '<:raw', $_[0]) or die "$_[0]: $!";
	local $/;
	my $data = <$file>;
	return defined $data ? $data : '';
}

sub spew {
	open(my $file, '>:raw', $_[0]) or die "$_[0]: $!";
	print $file $_[1];
	close($file) or die "$_[0]: $!";
}

my %write = (
	once => sub { compress($_[0]) },
	memgz => sub { Compress::Zlib::memGzip($_[0]) },
	gzip => sub { my $out; gzip(\$_[0] => \$out) or die $GzipError; $out },
	raw => sub { my $out; rawdeflate(\$_[0] => \$out) or die $RawDeflateError; $out },
	stream => sub {
		my ($stream, $status) = deflateInit(-Level => Z_BEST_SPEED);
		my $out = '';
		for (my $at = 0; $at < length $_[0]; $at += 9973) {
			my ($part, $rc) = $stream->deflate(substr($_[0], $at, 9973));
			$rc == Z_OK or die "deflate: $rc";
			$out .= $part;
		}
		my ($rest, $rc) = $stream->flush();
		$rc == Z_OK or die "flush: $rc";
		return $out . $rest;
	},
);
my %read = (
	once => sub { uncompress($_[0]) },
	memgz => sub { Compress::Zlib::memGunzip($_[0]) },
	gzip => sub { my $out; gunzip(\$_[0] => \$out) or die $GunzipError; $out },
	raw => sub { my $out; rawinflate(\$_[0] => \$out) or die $RawInflateError; $out },
	stream => sub {
		my $stream = inflateInit();
		my ($out, $rc) = ('', Z_OK);
		for (my $at = 0; $at < length $_[0] && $rc == Z_OK; $at += 4099) {
			my $piece = substr($_[0], $at, 4099); # inflate() eats what it is given
			(my $part, $rc) = $stream->inflate($piece);
			$out .= $part;
		}
		$rc == Z_STREAM_END or die "inflate: $rc";
		return $out;
	},
);

my ($what, $from, $to) = @ARGV;
for my $path (glob "$from/*") {
	my $data = slurp($path);
	my ($name) = $path =~ m{([^/]+)$};
	for my $way (sort keys %write) {
		if ($what eq 'write') {
			spew("$to/$name.$way", $write{$way}->($data));
		} else {
			my $back = $read{$way}->(slurp("$to/$name.$way"));
			defined $back && $back eq $data or die "$name.$way: not what it was\n";
		}
	}
	my $file = "$to/$name.gzopen";
	if ($what eq 'write') {
		my $gz = gzopen($file, 'wb') or die "gzopen: $gzerrno";
		length $data == 0 || $gz->gzwrite($data) == length $data or die 'gzwrite: ' . $gz->gzerror;
		$gz->gzclose();
	} else {
		my $gz = gzopen($file, 'rb') or die "gzopen: $gzerrno";
		my ($back, $part) = ('');
		$back .= $part while $gz->gzread($part, 10007) > 0;
		$back eq $data or die "$name.gzopen: not what it was\n";
	}
}
