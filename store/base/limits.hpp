// Every upper bound on what comes from outside, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace versement::limits {

// One read or write: large enough that a system call costs nothing, small enough for the caches.
inline constexpr std::size_t kChunkBytes = 256 * 1024;
// The same past the page cache, where nobody reads ahead or gathers what is written.
inline constexpr std::size_t kDirectChunkBytes = 1024 * 1024;

// An OCFL inventory of 100 000 files with two digests is about 50 MB.
inline constexpr std::size_t kInventoryBytesMax = 256u << 20;
// A sidecar is one digest and a name.
inline constexpr std::size_t kSidecarBytesMax = 1024;

// A journal entry's length is stored in 16 bits (C2SP tlog-tiles, entry bundles).
inline constexpr std::size_t kEntryBytesMax = 65535;
// The description of an item travels in one journal entry, with room left for its files.
inline constexpr std::size_t kDescriptionBytesMax = 24 * 1024;
// A file's part of that entry, when it is listed there and not in an evidence file.
inline constexpr std::size_t kFilesInEntryBytesMax = 32 * 1024;
// A checkpoint is three lines and some signatures.
inline constexpr std::size_t kCheckpointBytesMax = 64 * 1024;
// A proof: an entry in base64, a path of at most 63 hashes, and a checkpoint.
inline constexpr std::size_t kProofBytesMax = 2 * (kEntryBytesMax + kCheckpointBytesMax);

// A time authority's reply, certificates included; in base64 it must fit an entry.
inline constexpr std::size_t kStampBytesMax = 40 * 1024;

// The tail of the journal is rotated at 16 MiB; one group of entries may come on top.
inline constexpr std::size_t kTailBytesMax = 64u << 20;
// Entries that one group commit takes at most.
inline constexpr std::size_t kGroupBytesMax = 4u << 20;

// One line of an evidence file: one outcome, or one item of a seal.
inline constexpr std::size_t kEvidenceLineBytesMax = 256 * 1024;

// Depth of JSON from outside: ours is below 10; deeper is an attack on the stack.
inline constexpr std::size_t kJsonDepthMax = 64;
// A request body in JSON.
inline constexpr std::size_t kJsonBodyBytesMax = 8u << 20;

// XML: deeper nesting than METS ever has would overflow a recursive reader.
inline constexpr std::size_t kXmlDepthMax = 256;
inline constexpr std::size_t kXmlBytesMax = 256u << 20;
// Of a document that is read piece by piece: one tag with all its attributes, or one text. A METS
// has a kilobyte, a description some ten.
inline constexpr std::size_t kXmlTokenBytesMax = 1u << 20;
// A name of METS has at most 40 characters.
inline constexpr std::size_t kXmlNameBytesMax = 1024;
// Of one element; each is compared with the others.
inline constexpr std::size_t kXmlAttributesMax = 256;
// Of a document that becomes a tree: the records of one item, whose description a journal entry
// holds. "x<a/>" is two nodes of 64 bytes, and nothing is more than that for its length: a tree is
// below 27 times the text, hence 108 MiB.
inline constexpr std::size_t kXmlTreeBytesMax = 4u << 20;
// A reply of a SEDA system: VITAM's names every unit and object, some 400 bytes each; 100 000 files
// need 40 MB.
inline constexpr std::uint64_t kSedaReplyBytesMax = 128u << 20;
// Units of one, and objects, and events: each is kept with its identifiers, some 400 bytes.
inline constexpr std::size_t kSedaReplyEntriesMax = 200'000;
// All texts that are kept of one; and each, which is an identifier or a sentence.
inline constexpr std::size_t kSedaReplyKeptBytesMax = 64u << 20;
inline constexpr std::size_t kSedaReplyTextBytesMax = 64 * 1024;

// HTTP: the connection buffer bounds header, chunk header and trailer alike, because the parser of
// Beast 1.81 bounds none of the last two by itself.
inline constexpr std::size_t kHttpBufferBytes = 16 * 1024;
// The longest address is that of a file of a bag: a path of kPathBytesMax below "data/SLUG/", each
// byte of it three when it is percent-coded, some 12.5 KB. What is left is for the fields.
inline constexpr std::size_t kHttpTargetBytesMax = 13 * 1024;

// Plans of archives that are kept for the pulls under way, together; the newest one is kept in any
// case. 100 000 files need some 7 MB.
inline constexpr std::size_t kPlanBytesKept = 64u << 20;

// A path inside a deposit or a bag. POSIX names end at 255 bytes, paths at 4096.
inline constexpr std::size_t kNameBytesMax = 255;
inline constexpr std::size_t kPathBytesMax = 4000;
inline constexpr std::size_t kPathDepthMax = 64;

// Of a path in a deposit: what remains of these when it stands in a bag, below
// REFERENCE/data/SLUG/representations/master/data/.
inline constexpr std::size_t kDepositPathBytesMax = kPathBytesMax - 400;
inline constexpr std::size_t kDepositPathDepthMax = kPathDepthMax - 8;

// A deposit's metadata.csv: 100 000 rows of a kilobyte; a cell holds at most a long description.
inline constexpr std::size_t kCsvBytesMax = 128u << 20;
inline constexpr std::size_t kCsvCellBytesMax = 64 * 1024;
inline constexpr std::size_t kCsvColumnsMax = 512;
inline constexpr std::size_t kCsvRowsMax = 1'000'000;
// Faults told of one table: who has more has one cause for most of them.
inline constexpr std::size_t kCsvFaultsMax = 1000;

// Different statements and grants of one rights.csv: each is some 500 bytes in memory.
inline constexpr std::size_t kRightsTextsMax = 100'000;
// Rows of rights.csv that say something of one file, or of one item. A description of 24 KiB has no
// room for the grants of more.
inline constexpr std::size_t kRightsRowsOfFileMax = 256;

// Files of one deposit, all items together.
inline constexpr std::size_t kDepositFilesMax = 1'000'000;
// An archive that is a deposit: besides its files it has folders and tag files.
inline constexpr std::uint64_t kDepositMembersMax = 2 * kDepositFilesMax;
// Unpacked. ext4 has no file that is larger, so a tar there cannot hold more.
inline constexpr std::uint64_t kDepositUnpackedBytesMax = 16ull << 40;
// The names of its members, which are in memory while it is judged: 128 bytes for each.
inline constexpr std::uint64_t kDepositDirectoryBytesMax = 256u << 20;
// What of an archive is looked at to find out that it may be a bag, before it is judged.
inline constexpr std::uint64_t kPeekMembersMax = 10'000;
inline constexpr std::uint64_t kPeekBytesMax = 256u << 20;
// Texts of bag-info.txt that describe an item: with room for rights in kDescriptionBytesMax.
inline constexpr std::size_t kBagTextBytesMax = 4 * 1024;
// Each of its identifiers, and what the journal's entry says of the bag: beside a description and a
// list of files that are as long as may be there are 8 KiB left in an entry.
inline constexpr std::size_t kBagIdentifierBytesMax = 512;
inline constexpr std::size_t kBagIdentifiersMax = 20;

// Findings kept of one ingest; what is beyond is counted.
inline constexpr std::size_t kFindingsMax = 10'000;

// Folders in a bag that is judged, one in the other: names of one letter fill PATH_MAX at 2048.
inline constexpr std::size_t kBagDepthMax = 2048;
// A path in a bag: far above what file systems open at once, and no reason to run out of memory.
inline constexpr std::size_t kBagPathBytesMax = 64 * 1024;
// All names of a bag: five million of 100 bytes.
inline constexpr std::size_t kBagNamesBytesMax = 512u << 20;
// Labels of bag-info.txt.
inline constexpr std::size_t kBagInfoLabelsMax = 100'000;
// One line of a tag file of a bag: RFC 8493 has no bound; this is far above any path.
inline constexpr std::size_t kTagLineBytesMax = 1u << 20;
// Findings kept of one bag; what is beyond is counted.
inline constexpr std::size_t kBagFindingsMax = 100'000;
inline constexpr std::size_t kBagFindingsBytesMax = 64u << 20;
// Tag files kept in memory of an archive that can only be read from its beginning to its end.
inline constexpr std::size_t kKeptTagBytesMax = 64u << 20;

// A manifest or other tag file of a bag: a million lines of 200 bytes.
inline constexpr std::size_t kManifestBytesMax = 512u << 20;
inline constexpr std::size_t kTagFileBytesMax = 16u << 20;

// Files that one fetch brings: each is kept in memory with its digests.
inline constexpr std::size_t kFetchFilesMax = 1'000'000;

// What a bag's profile lists, in each of its fields: every file of a bag is held against all of it.
inline constexpr std::size_t kProfileEntriesMax = 2000;
// Profiles in one folder of them.
inline constexpr std::size_t kProfilesMax = 10'000;
// An archive of a bag. Ten times what a deposit may have; what is remembered of each is below 100
// bytes.
inline constexpr std::uint64_t kArchiveMembersMax = 10'000'000;
// A zip's names have 16 bits of length; no file system takes as much.
inline constexpr std::size_t kArchiveNameBytesMax = 64 * 1024;
// Deflate packs 1032 equal bytes into one at best, and documents a tenth of that: what comes near
// it holds the same few bytes again and again. Small archives may: an empty disk image is a file,
// too.
inline constexpr std::uint64_t kArchiveRatioMax = 200;
inline constexpr std::uint64_t kArchiveRatioSlackBytes = 64u << 20;
// Ten million members of 100 bytes.
inline constexpr std::uint64_t kArchiveDirectoryBytesMax = 1u << 30;
// pax records, a long name, the map of a sparse file: far above any path that a file system takes.
inline constexpr std::uint64_t kTarExtensionBytesMax = 1u << 20;
// Runs of data of one sparse file; 16 bytes each while it is read.
inline constexpr std::size_t kTarExtentsMax = 1'000'000;
// Zeros behind the end of a tar: a tape's record of the largest kind, and much more.
inline constexpr std::uint64_t kTarPaddingBytesMax = 64u << 20;
// The target of a symbolic link: PATH_MAX of Linux.
inline constexpr std::size_t kLinkTargetBytesMax = 4096;

// Configuration and secrets are small text files.
inline constexpr std::size_t kConfigBytesMax = 1u << 20;

}  // namespace versement::limits
