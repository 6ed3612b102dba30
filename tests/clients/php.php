<?php
// SPDX-License-Identifier: Zlib
// Writes a folder of files in the ways of PHP's zlib extension, and reads it back. Answers are printed.
function through($context, string $data, int $size, callable $add): string
{
	$out = '';
	for ($at = 0; $at < strlen($data); $at += $size)
		$out .= $add($context, substr($data, $at, $size), ZLIB_NO_FLUSH);
	return $out . $add($context, '', ZLIB_FINISH);
}

function write(array $files, string $out): void
{
	mkdir($out);
	foreach ($files as $name => $data) {
		foreach ([1, 6, 9] as $level) {
			file_put_contents("$out/$name.at$level.gz", gzencode($data, $level));
			file_put_contents("$out/$name.at$level.zlib", gzcompress($data, $level));
			file_put_contents("$out/$name.at$level.raw", gzdeflate($data, $level));
		}
		foreach ([5003, 1000003] as $size)
			file_put_contents("$out/$name.add$size.gz",
				through(deflate_init(ZLIB_ENCODING_GZIP), $data, $size, 'deflate_add'));
		$file = gzopen("$out/$name.file.gz", 'wb6');
		gzwrite($file, $data);
		gzclose($file);
		file_put_contents("compress.zlib://$out/$name.wrapper.gz", $data);
		$file = fopen("$out/$name.filter.raw", 'wb');
		stream_filter_append($file, 'zlib.deflate', STREAM_FILTER_WRITE, 6);
		fwrite($file, $data);
		fclose($file);
		echo $name, ' ', strlen($data), ' ', sha1($data), "\n";
	}
	$sound = gzencode($files['text']);
	$cases = ['cut' => substr($sound, 0, strlen($sound) >> 1), 'header' => 'no gzip stream', 'none' => '',
		'checksum' => substr($sound, 0, -8) . str_repeat("\0", 8), 'garbage' => $sound . str_repeat("\xff", 99)];
	foreach ($cases as $name => $bytes) {
		$got = @gzdecode($bytes);
		echo $name, ' ', $got === false ? error_get_last()['message'] ?? '' : strlen($got), "\n";
		error_clear_last();
	}
	echo 'limited ', var_export(@gzdecode($sound, 1000), true), "\n";
}

function read(array $files, string $out): void
{
	$decode = ['gz' => ['gzdecode', ZLIB_ENCODING_GZIP], 'zlib' => ['gzuncompress', ZLIB_ENCODING_DEFLATE],
		'raw' => ['gzinflate', ZLIB_ENCODING_RAW]];
	foreach (array_diff(scandir($out), ['.', '..']) as $entry) {
		[$name, , $kind] = explode('.', $entry);
		$data = file_get_contents("$out/$entry");
		$got = [$decode[$kind][0]($data),
			through(inflate_init($decode[$kind][1]), $data, 10007, 'inflate_add')];
		if ($kind === 'gz') {
			$got[] = file_get_contents("compress.zlib://$out/$entry");
			ob_start();
			readgzfile("$out/$entry");
			$got[] = ob_get_clean();
		}
		foreach ($got as $nr => $back)
			if ($back !== $files[$name]) {
				fwrite(STDERR, "$entry is different, way $nr\n");
				exit(1);
			}
	}
}

// The memory limit is met inside zlib's allocations: PHP leaves them by longjmp(). What comes after works.
function limit(array $files): void
{
	register_shutdown_function(function () use ($files) {
		$GLOBALS['kept'] = null;
		foreach ($files as $name => $data)
			echo $name, ' ', sha1(gzdecode(gzencode($data))), "\n";
	});
	$data = $files['text'];
	ini_set('memory_limit', (string)(memory_get_usage(true) + (4 << 20)));
	for (;;) {
		$context = deflate_init(ZLIB_ENCODING_GZIP);
		deflate_add($context, $data, ZLIB_SYNC_FLUSH);
		$GLOBALS['kept'][] = $context;
	}
}

[, $mode, $mix] = $argv;
$files = [];
foreach (array_diff(scandir($mix), ['.', '..']) as $name)
	$files[$name] = file_get_contents("$mix/$name");
$mode($files, $argv[3] ?? '');
