//! Tests of the machinery on whatever adapter is there (software Vulkan will do); they say so when there is none.

use naga::back::pipeline_constants::process_overrides;
use naga::back::spv;
use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::*;
use crate::plan::Plan;
use crate::shape::Layout;

/// The first GPU, or the reason why the test is skipped.
pub(crate) fn gpu_or_skip(test: &str) -> Option<&'static Context> {
    context(0).map_err(|reason| println!("{test} skipped: {reason}")).ok()
}

/// Parses, validates and translates a shader the way a driver would get it.
fn validate(name: &str, text: &str) {
    let module = naga::front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::all())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
    let (module, info) =
        process_overrides(&module, &info, None, &Default::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    spv::write_vec(&module, &info, &spv::Options::default(), None).unwrap_or_else(|e| panic!("{name}: {e}"));
}

#[test]
fn test_every_shader_file_stands_alone() {
    assert!(SHADERS.len() >= 8, "the shaders were not found");
    for (name, text) in SHADERS {
        validate(name, text);
    }
}

#[test]
fn test_upload_download() {
    if gpu_or_skip("test_upload_download").is_none() {
        return;
    }
    for size in [0, 1, 3, 4, 5, 255, 256, 257, 70_001, (9 << 20) + 3] {
        let bytes: Vec<u8> = (0..size).map(|i| (i * 7 + i / 251) as u8).collect();
        let buffer = upload(0, &bytes).unwrap();
        assert_eq!(buffer.len(), size);
        for start in [0, 1, 2, 7, size / 2].into_iter().filter(|&start| start <= size) {
            let mut back = vec![0; size - start];
            download(&buffer, start, &mut back).unwrap();
            assert!(back == bytes[start..], "{size} bytes from {start}");
        }
        assert!(download(&buffer, 1, &mut vec![0; size]).is_err());
    }
}

#[test]
fn test_uploads_run_in_recording_order() {
    let Some(gpu) = gpu_or_skip("test_uploads_run_in_recording_order") else { return };
    let target = gpu.alloc(4).unwrap();
    let text = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
        @group(0) @binding(1) var<storage, read> x: array<u32>;
        @compute @workgroup_size(1) fn copy() { y[0] = x[0]; }";
    let copies: Vec<Buffer> = (0..300u32)
        .map(|i| {
            gpu.write(&target, 0, &i.to_le_bytes()).unwrap();
            let kept = gpu.alloc(4).unwrap();
            let launch = Launch::on(gpu, "test_order").writes(&kept, Element::U32).reads(&target, Element::U32);
            launch.run(1, || Source::new(text)).unwrap();
            kept
        })
        .collect();
    for (i, kept) in copies.iter().enumerate() {
        let mut back = [0; 4];
        download(kept, 0, &mut back).unwrap();
        assert_eq!(u32::from_le_bytes(back), i as u32);
    }
}

#[test]
fn test_threads_share_a_device() {
    if gpu_or_skip("test_threads_share_a_device").is_none() {
        return;
    }
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            scope.spawn(move || {
                for size in 1..40 {
                    let buffer = upload(0, &vec![thread; size * 1000]).unwrap();
                    let mut back = vec![0; size * 1000];
                    download(&buffer, 0, &mut back).unwrap();
                    assert!(back.iter().all(|&byte| byte == thread));
                }
            });
        }
    });
}

#[test]
fn test_pool_reuses_and_reports() {
    let Some(gpu) = gpu_or_skip("test_pool_reuses_and_reports") else { return };
    // A size that no other test asks for: tests share the device.
    let odd = (3 << 20) + 17;
    drop(gpu.alloc(odd).unwrap());
    let before = gpu.memory_stats();
    let again = gpu.alloc(odd).unwrap();
    assert!(gpu.memory_stats().reuses > before.reuses);
    assert_eq!(again.len() as u64, odd);
    let error = gpu.alloc(1 << 40).unwrap_err().to_string();
    assert!(error.contains("too large") && error.contains("1099511627776"), "{error}");
}

#[test]
fn test_wgpu_errors_become_results() {
    let Some(gpu) = gpu_or_skip("test_wgpu_errors_become_results") else { return };
    let buffer = gpu.alloc(16).unwrap();
    let launch = Launch::on(gpu, "broken");
    let error = launch.clone().writes(&buffer, Element::F32).run(1, || Source::new("fn oops(")).unwrap_err();
    assert!(error.to_string().contains("broken"), "{error}");
    let error = launch.clone().run(1, || Source::new("").alias("Missing", "f32")).unwrap_err();
    assert!(error.to_string().contains("alias Missing"), "{error}");
    let error = launch.reads(&buffer, Element::F32).writes(&buffer, Element::F32).run(1, || Source::new(""));
    assert!(error.unwrap_err().to_string().contains("read and written"));
    gpu.synchronize().unwrap();
}

const SUM: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read> d: array<f32>;

// begin positions
// end positions

@compute @workgroup_size(64)
fn sum(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < params.count) {
        let at = positions(id.x);
        y[id.x] = a[at[0]] + b[at[1]] + c[at[2]] + d[at[3]];
    }
}
";

#[test]
fn test_strided_operands_and_parameter_ring() {
    let Some(gpu) = gpu_or_skip("test_strided_operands_and_parameter_ring") else { return };
    let data: Vec<f32> = (0..24).map(|i| i as f32).collect();
    let x = upload(0, bytemuck::cast_slice(&data)).unwrap();
    let layout = |strides: [isize; 3], offset| Layout {
        shape: [2, 3, 4].as_slice().into(),
        strides: strides.as_slice().into(),
        offset,
    };
    let operands = [layout([12, 4, 1], 0), layout([1, 2, 6], 0), layout([-12, -4, -1], 23), layout([0, 0, 3], 2)];
    let plan = Plan::new("test", operands.each_ref(), [24; 4]).unwrap();
    let positions = Positions::new(&plan);
    // More launches than one batch holds, so that the ring is written several times.
    for _ in 0..120 {
        let y = gpu.alloc(96).unwrap();
        let launch = Launch::on(gpu, "test_sum").writes(&y, Element::F32);
        (0..4)
            .fold(launch, |launch, _| launch.reads(&x, Element::F32))
            .params(&positions.block([0; 4]))
            .run(1, || Source::new(SUM).section("positions", &Positions::section(4)))
            .unwrap();
        let mut got = [0f32; 24];
        download(&y, 0, bytemuck::cast_slice_mut(&mut got)).unwrap();
        for (i, value) in got.into_iter().enumerate() {
            let index = [i / 12, i / 4 % 3, i % 4].map(|k| k as isize);
            let at = |l: &Layout| l.offset as isize + (0..3).map(|d| index[d] * l.strides[d]).sum::<isize>();
            assert_eq!(value, operands.iter().map(|l| data[at(l) as usize]).sum::<f32>(), "element {i}");
        }
    }
}

#[test]
fn test_a_recorded_dispatch_is_cheap() {
    let Some(gpu) = gpu_or_skip("test_a_recorded_dispatch_is_cheap") else { return };
    let (x, y) = (gpu.alloc(256).unwrap(), gpu.alloc(256).unwrap());
    let record = || {
        let launch = Launch::on(gpu, "test_copy").writes(&y, Element::F32).reads(&x, Element::F32).params(&[0u32]);
        let text = "@group(0) @binding(0) var<storage, read_write> y: array<f32>;
            @group(0) @binding(1) var<storage, read> x: array<f32>;
            var<immediate> params: u32;
            @compute @workgroup_size(64) fn copy(@builtin(local_invocation_index) i: u32) { y[i] = x[i + params]; }";
        launch.run(1, || Source::new(text)).unwrap();
    };
    record();
    gpu.synchronize().unwrap();
    let start = std::time::Instant::now();
    (0..1000).for_each(|_| record());
    println!("{:.1} us per recorded dispatch, submissions included", start.elapsed().as_secs_f64() * 1e3);
    gpu.synchronize().unwrap();
}
