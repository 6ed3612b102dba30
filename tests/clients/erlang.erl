%% SPDX-License-Identifier: Zlib
%% Writes a folder of files in the ways of Erlang's zlib and zip modules, and reads it back. Answers are printed.
-module(erlang_zlib).
-export([main/1]).

main([Mode, Mix, Out]) ->
	{ok, Names} = file:list_dir(Mix),
	Files = [{Name, load(Mix, Name)} || Name <- lists:sort(Names)],
	case Mode of
		"write" -> write(Files, Out);
		"read" -> read(Files, Out)
	end.

load(Folder, Name) ->
	{ok, Data} = file:read_file(filename:join(Folder, Name)),
	Data.

save(Folder, Name, Data) ->
	ok = file:write_file(filename:join(Folder, Name), Data).

pieces(Data, Size) when byte_size(Data) > Size ->
	<<Piece:Size/binary, Rest/binary>> = Data,
	[Piece | pieces(Rest, Size)];
pieces(Data, _) ->
	[Data].

bits("zlib") -> 15;
bits("raw") -> -15;
bits("gz") -> 31.

deflate(Data, Kind, Level, Flush) ->
	Z = zlib:open(),
	ok = zlib:deflateInit(Z, Level, deflated, bits(Kind), 8, default),
	Out = [zlib:deflate(Z, Piece, Flush) || Piece <- pieces(Data, 40000)],
	Last = zlib:deflate(Z, <<>>, finish),
	ok = zlib:deflateEnd(Z),
	zlib:close(Z),
	iolist_to_binary([Out, Last]).

inflate(Data, Kind) ->
	Z = zlib:open(),
	ok = zlib:inflateInit(Z, bits(Kind)),
	Out = [safe(Z, zlib:safeInflate(Z, Piece)) || Piece <- pieces(Data, 10007)],
	ok = zlib:inflateEnd(Z),
	zlib:close(Z),
	iolist_to_binary(Out).

safe(Z, {continue, Out}) -> [Out | safe(Z, zlib:safeInflate(Z, []))];
safe(_, {finished, Out}) -> Out.

write(Files, Out) ->
	ok = file:make_dir(Out),
	lists:foreach(fun({Name, Data}) ->
		save(Out, Name ++ ".once.gz", zlib:gzip(Data)),
		save(Out, Name ++ ".once.zlib", zlib:compress(Data)),
		save(Out, Name ++ ".once.raw", zlib:zip(Data)),
		[save(Out, lists:concat([Name, ".", How, Level, ".", Kind]), deflate(Data, Kind, Level, How))
			|| Kind <- ["zlib", "raw", "gz"], Level <- [1, 6, 9], How <- [none, sync, full]],
		{ok, File} = file:open(filename:join(Out, Name ++ ".file.gz"), [write, compressed]),
		ok = file:write(File, Data),
		ok = file:close(File),
		io:format("~s ~b ~b~n", [Name, byte_size(Data), erlang:crc32(Data)])
	end, Files),
	{ok, _} = zip:create(filename:join(Out, "all.zip"), Files),
	%% Many processes, on every scheduler.
	Self = self(),
	{_, Text} = lists:keyfind("text", 1, Files),
	[spawn_link(fun() -> Self ! {Nr, zlib:uncompress(zlib:compress(Text)) =:= Text} end) || Nr <- lists:seq(1, 20)],
	[receive {Nr, Same} -> io:format("~b ~p~n", [Nr, Same]) end || Nr <- lists:seq(1, 20)],
	Sound = zlib:compress(Text),
	Bad = [binary:part(Sound, 0, byte_size(Sound) div 2), <<"no zlib stream">>, <<>>,
		<<(binary:part(Sound, 0, byte_size(Sound) - 4))/binary, 0:32>>],
	[io:format("~p~n", [try byte_size(zlib:uncompress(Bytes)) catch Class:Why -> {Class, Why} end]) || Bytes <- Bad].

read(Files, Out) ->
	{ok, Entries} = file:list_dir(Out),
	lists:foreach(fun(Entry) ->
		Data = load(Out, Entry),
		case string:lexemes(Entry, ".") of
		["all", "zip"] ->
			{ok, Unzipped} = zip:unzip(Data, [memory]),
			Files = lists:sort(Unzipped);
		[Name, _, Kind] ->
			{_, Want} = lists:keyfind(Name, 1, Files),
			Want = inflate(Data, Kind),
			Want = case Kind of
				"gz" -> zlib:gunzip(Data);
				"zlib" -> zlib:uncompress(Data);
				"raw" -> zlib:unzip(Data)
			end
		end
	end, Entries).
