# SPDX-License-Identifier: Zlib
# The main job: gzip, unmodified, compresses much on the device. The host looks at what came of it, and
# at the device's own counts.
#: device qm=3
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip vfio_iommu_type1 virtio_pci virtio_blk
#: file {build}/.libs/zwd /usr/bin/zwd
#: file {build}/libz-wd/tools/.libs/wd-gzip /usr/local/bin/wd-gzip
#: file {build}/libz-wd/.libs/libz-wd.so /usr/lib/libz-wd.so
#: file {root}/bin/gzip /usr/bin/gzip
#: file {lib}/libz.so.1 /usr/lib/{arch}-linux-gnu/libz.so.1
#: mix /mix 24
#: limit 240
#: requests 20
check "the modules load" load wd_hisi_zip
check "VFIO's container loads" load vfio_iommu_type1
check "a disk is there" eval "load virtio_pci && load virtio_blk && until_true [ -b /dev/vda ]"
check "queues are made" zwd -n 4 queues create
check "gzip under LD_PRELOAD compresses 24 MiB" env LD_PRELOAD=/usr/lib/libz-wd.so ZWD_ENGINE=hw \
	ZWD_STATS=json:/tmp/stats sh -c '/usr/bin/gzip -nc /mix >/tmp/mix.gz'
check "none of it in software" grep '"deflate":{"hw_requests":[1-9].*"soft_in":0,.*"inflate"' /tmp/stats
check "the host gets it" sh -c 'stat -c %s /tmp/mix.gz | dd of=/dev/vda bs=512 conv=sync &&
	dd if=/tmp/mix.gz of=/dev/vda bs=512 seek=1 conv=sync && sync'
sed -n 's/.*"deflate":{"hw_requests":\([0-9]*\),"hw_in":\([0-9]*\).*/counts \1 \2/p' /tmp/stats
check "queues are removed" zwd queues remove
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
